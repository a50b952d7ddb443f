"""A study's directory: made once by `launch`, read again by `resume`."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from aia_models.data.blocks import Execute, in_threads
from aia_models.data.prepare import open_prepared, prepare
from aia_models.data.splits import check_splits
from aia_models.judging import JUDGE_VERSION
from analysis.candidates import require_objectives
from analysis.tables import open_study, read_trials
from search_spaces.domains import Choice
from search_spaces.hyperparameters import resolve
from study.confirmation import search_front
from study.controls import controls_of
from study.design import training_config
from study.errors import StudyError
from study.layout import CONTROLS, PREPARED, SPEC_FILE
from study.logger_names import require_packages
from study.plan import TrialPlan
from study.records import SCHEMA_KEY, SCHEMA_VERSION
from study.spec import StudySpec, space
from study.spec_files import load_spec, to_toml, with_settings
from study.store import ResultsStore
from study.warm_start import check_earlier

CONFIRM_SEEDS = 3  # where nobody says how many


@dataclass(frozen=True)
class StudyDirectory:
    """Where a study lies, its frozen spec and its prepared faces."""

    path: Path
    spec: StudySpec
    prepared: Path


def free_name(storage: Path, spec_name: str) -> str:
    """`<spec>-<n>` with the first n that no directory under `storage` has."""
    taken = {path.name for path in storage.iterdir()} if storage.is_dir() else set()
    return next(name for n in range(1, len(taken) + 2) if (name := f"{spec_name}-{n}") not in taken)


def local_storage(storage: str) -> Path:
    """The directory of a `--storage`; StudyError for a URI, which this version cannot write to."""
    if "://" in storage:
        raise StudyError(
            f"--storage {storage}: needs a local or shared directory; object storage is not supported"
        )
    return Path(storage)


def create_study(spec: StudySpec, storage: Path, execute: Execute = in_threads) -> StudyDirectory:
    """Checks spec, faces and judge, then makes `<storage>/<name>` with its study.toml and controls.

    StudyError where that directory exists; errors in the data or the design, and controls that fail, are raised before
    anything but the prepared copy of the faces is written.
    """
    path = storage / spec.name
    there = StudyError(
        f"{path} exists already: choose another --name, or go on with: aia-study resume {path}"
    )
    if path.exists():
        raise there
    require_packages(spec.loggers)
    check_designs(spec)
    if spec.warm_start is not None:
        spec = with_settings(spec, [f"warm_start={Path(spec.warm_start).expanduser().resolve()}"])
        check_earlier(spec)
    spec = with_absolute_dataset(spec)
    prepared = prepare_faces(spec, storage, execute)
    controls = controls_of(spec, prepared)
    known = [f"data_fingerprint={open_prepared(prepared).fingerprint}", f"judge_version={JUDGE_VERSION}"]
    spec = with_settings(spec, known)
    try:
        path.mkdir(parents=True)
    except FileExistsError as error:  # another launch of that name was faster
        raise there from error
    (path / CONTROLS).write_text(controls)
    (path / SPEC_FILE).write_text(to_toml(spec))
    return StudyDirectory(path, spec, prepared)


def with_absolute_dataset(spec: StudySpec) -> StudySpec:
    """The spec with its dataset's path written out: a resume may be called from anywhere."""
    kind, colon, location = spec.dataset.partition(":")
    if not location or not Path(location).expanduser().exists():
        return spec
    return with_settings(spec, [f"dataset={kind}{colon}{Path(location).expanduser().resolve()}"])


def open_study_directory(path: Path, execute: Execute = in_threads) -> StudyDirectory:
    """The study that `launch` made at `path`; StudyError where there is none."""
    if not (path / SPEC_FILE).is_file():
        raise StudyError(f"{path} is no study: it has no {SPEC_FILE}; aia-study launch makes one")
    spec = load_spec(str(path / SPEC_FILE))
    prepared = prepare_faces(spec, path.parent, execute)
    if "checkpoints_behind_front" not in spec.model_fields_set:  # of a release that kept them all
        spec = with_settings(spec, ["checkpoints_behind_front=all"])
    if spec.data_fingerprint not in (None, open_prepared(prepared).fingerprint):
        raise StudyError(
            f"{path}: {spec.dataset} holds other faces than at launch; restore them, or launch a new study"
        )
    return StudyDirectory(path, spec, prepared)


def check_designs(spec: StudySpec) -> None:
    """ConfigError where what the spec fixes makes a training impossible, under any choice of its space."""
    searched = space(spec)
    choices = [
        {name: option}
        for name, domain in searched.parameters.items()
        if isinstance(domain, Choice)
        for option in domain.options
    ]
    for design in ({}, *choices, *spec.designs):
        values = resolve({**searched.defaults(), **design}, spec.fixed)
        training_config(TrialPlan("default", None, "search", "aia", values, spec.seed), spec)


def prepare_faces(spec: StudySpec, storage: Path, execute: Execute = in_threads) -> Path:
    """The one prepared copy of the spec's faces, made if it is not there; DataError where they cannot be used.

    `execute` runs the blocks of images that are not prepared yet.
    """
    prepared = prepare(
        spec.dataset,
        image_side=spec.image_side,
        attribute=spec.attributes[0],
        positive=spec.positive,
        cache=storage / PREPARED,
        execute=execute,
        further_attributes=spec.attributes[1:],
    )
    check_splits(open_prepared(prepared), spec.attributes, spec.split_seed)
    return prepared


def extend_study(study: StudyDirectory, trials: int) -> StudyDirectory:
    """The study with its search extended to `trials`, also in its study.toml; StudyError for fewer than now."""
    if trials < study.spec.trials:
        raise StudyError(
            f"--trials {trials}: {study.path} has {study.spec.trials} planned; a study only grows"
        )
    return _grown(study, f"trials={trials}")


def extend_seeds(study: StudyDirectory, seeds: int) -> StudyDirectory:
    """The study with `seeds` seeds of its designs and baselines, also in its study.toml; StudyError for fewer."""
    if seeds < study.spec.seeds:
        raise StudyError(f"--seeds {seeds}: {study.path} has {study.spec.seeds} planned; a study only grows")
    return _grown(study, f"seeds={seeds}")


def extend_confirmation(study: StudyDirectory, seeds: int | None) -> StudyDirectory:
    """The study with its front to be confirmed on `seeds` fresh seeds, also in its study.toml.

    None keeps the number that is planned, 3 where none is. StudyError for fewer than now, and where constraints leave
    no front; AnalysisError where no search trial was judged.
    """
    planned = study.spec.confirm_seeds
    wanted = seeds or planned or CONFIRM_SEEDS
    if wanted < planned:
        raise StudyError(f"--seeds {wanted}: {study.path} has {planned} planned; a study only grows")
    with ResultsStore(study.path):  # rows that a dead driver left become readable
        trials = read_trials(open_study(study.path))
    require_objectives(
        trials.filter(pl.col("phase") == "search"), str(study.path), study.spec.search_objectives
    )
    if search_front(trials, study.spec).is_empty():
        raise StudyError(
            f"{study.path}: no complete search trial is within the constraints ({', '.join(study.spec.constraints)});"
            f" nothing to confirm: extend the search with: aia-study resume {study.path} --trials N"
        )
    return study if wanted == planned else _grown(study, f"confirm_seeds={wanted}")


def refuse_other_release(study: StudyDirectory) -> None:
    """StudyError where another version of the judge has judged the study, so that figures would not compare, or where
    its tables have other columns, so that no glob would read both."""
    begun = study.spec.judge_version or 1
    if begun != JUDGE_VERSION:
        raise StudyError(
            f"{study.path} was judged by version {begun} of the judge, this release has version {JUDGE_VERSION}: their"
            " figures do not compare; read it as it is, or launch a new study"
        )
    for part in sorted((study.path / "results").glob("*/part-*.parquet")):
        version = int((pq.read_schema(part).metadata or {}).get(SCHEMA_KEY, b"1"))
        if version != SCHEMA_VERSION:
            raise StudyError(
                f"{part} has version {version} of the tables, this release writes version {SCHEMA_VERSION}: one study"
                " cannot hold both; read it as it is, or launch a new study"
            )


def _grown(study: StudyDirectory, setting: str) -> StudyDirectory:
    refuse_other_release(study)
    spec = with_settings(study.spec, [setting])
    with ResultsStore(study.path):  # nobody else runs the study while its plan grows
        aside = study.path / f".{SPEC_FILE}"
        aside.write_text(to_toml(spec))
        aside.replace(study.path / SPEC_FILE)
    return replace(study, spec=spec)
