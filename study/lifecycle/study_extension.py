"""Extends the plan of a study: more search trials, more seeds, or a confirmation. A plan never shrinks."""

from dataclasses import replace

import polars as pl

from aia_models.judging.judge import JUDGE_VERSION
from analysis.atomic_write import atomic_write
from analysis.fronts.candidates import require_objectives
from analysis.tables.reader import open_tables, read_trials
from analysis.tables.schema import SCHEMA_VERSION
from study.errors import StudyError
from study.lifecycle.confirmation_trials import search_front
from study.lifecycle.study_directory import StudyDirectory
from study.spec.files import to_toml, with_values
from study.storage.paths import SPEC_FILE
from study.storage.results_store import ResultsStore, list_parts, read_schema_version

DEFAULT_CONFIRM_SEEDS = 3


def extend_study(study: StudyDirectory, trials: int) -> StudyDirectory:
    """Extend the search to `trials` trials in the study's spec file, and return the study with the new spec.

    Raises StudyError if `trials` is less than planned.
    """
    if trials < study.spec.trials:
        raise StudyError(
            f"--trials {trials}: {study.storage} plans {study.spec.trials} trials; a plan can only grow"
        )
    return _extend_spec(study, "trials", trials)


def extend_seeds(study: StudyDirectory, seeds: int) -> StudyDirectory:
    """Extend the designs and baselines to `seeds` seeds in the spec file, and return the study with the new spec.

    Raises StudyError if `seeds` is less than planned.
    """
    if seeds < study.spec.seeds:
        raise StudyError(
            f"--seeds {seeds}: {study.storage} plans {study.spec.seeds} seeds; a plan can only grow"
        )
    return _extend_spec(study, "seeds", seeds)


def extend_confirmation(study: StudyDirectory, seeds: int | None) -> StudyDirectory:
    """Plan the confirmation of the search front on `seeds` fresh seeds, and return the study with the new spec.

    None keeps the planned number, or sets `DEFAULT_CONFIRM_SEEDS` if none is planned. Raises StudyError if `seeds` is
    less than planned or the constraints leave no front, and AnalysisError if no search trial was judged.
    """
    planned = study.spec.confirm_seeds
    new = seeds or planned or DEFAULT_CONFIRM_SEEDS
    if new < planned:
        raise StudyError(f"--seeds {new}: {study.storage} plans {planned} fresh seeds; a plan can only grow")
    with ResultsStore(study.storage):  # opening it writes rows that a dead driver left as parts
        trials = read_trials(open_tables(study.path))
    require_objectives(
        trials.filter(pl.col("phase") == "search"), str(study.storage), study.spec.search_objectives
    )
    if search_front(trials, study.spec).is_empty():
        raise StudyError(
            f"{study.storage}: no complete search trial is within the constraints"
            f" ({', '.join(study.spec.constraints)}); nothing to confirm: extend the"
            f" search with: aia-study resume {study.storage.shell_argument} --trials N"
        )
    return study if new == planned else _extend_spec(study, "confirm_seeds", new)


def refuse_other_release(study: StudyDirectory) -> None:
    """Raise StudyError if this release has another version of the judge or of the tables' schemas than the study.

    Figures of two versions of the judge do not compare, and all parts of a table have the same columns.
    """
    if study.spec.judge_version != JUDGE_VERSION:
        raise StudyError(
            f"{study.storage} was judged by version {study.spec.judge_version} of the judge, this release has version"
            f" {JUDGE_VERSION}: their figures do not compare; read it as it is, or launch a new study"
        )
    for part in list_parts(study.storage):
        version = read_schema_version(study.storage, part)
        if version != str(SCHEMA_VERSION):
            raise StudyError(
                f"{study.storage.location_of(part)} has table version {version}, this release has version"
                f" {SCHEMA_VERSION}: one study cannot hold both; launch a new study"
            )


def _extend_spec(study: StudyDirectory, key: str, count: int) -> StudyDirectory:
    refuse_other_release(study)
    spec = with_values(study.spec, {key: count})
    with ResultsStore(study.storage):  # so that no other process runs the study meanwhile
        refuse_other_release(study)  # again, because parts in object storage are downloaded only now
        with atomic_write(study.path / SPEC_FILE) as aside:
            aside.write_text(to_toml(spec))
        study.storage.upload(SPEC_FILE)
    return replace(study, spec=spec)
