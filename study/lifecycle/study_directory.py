"""A study's directory: made once by `launch`, read again by `resume`."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from aia_models.data.prepared.blocks import Execute, in_threads
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import check_splits
from aia_models.judging.judge import JUDGE_VERSION
from analysis.fronts.candidates import require_objectives
from analysis.tables.location import Location, ObjectPath, children, location
from analysis.tables.reader import open_tables, read_trials
from analysis.tables.schema import SCHEMA_VERSION
from search_spaces.domains import Choice
from search_spaces.hyperparameters import resolve
from study.errors import StudyError
from study.lifecycle.judge_controls import controls_of
from study.lifecycle.planned_trials import search_front
from study.search.warm_start import check_earlier
from study.spec.choices import require_packages
from study.spec.files import load_spec, to_toml, with_values
from study.spec.spec import StudySpec, searched_space
from study.storage.paths import CONTROLS, SPEC_FILE
from study.storage.prepared_cache import cache_of, found, shared
from study.storage.results_store import ResultsStore, found_at, part_version, parts_of
from study.storage.study_storage import StudyStorage, open_storage
from study.storage.writer_lock import Writer
from study.trial.plan import TrialPlan
from study.trial.rows import one_line
from study.trial.training_config import training_config

CONFIRM_SEEDS = 3  # where nobody says how many


@dataclass(frozen=True)
class StudyDirectory:
    """Where a study lies, its frozen spec and its prepared faces."""

    storage: StudyStorage
    spec: StudySpec
    prepared: Path

    @property
    def path(self) -> Path:
        """Its directory, or this process's copy of it."""
        return self.storage.directory

    @property
    def parent(self) -> Location:
        """What it lies in, beside others."""
        return self.storage.location.parent


def free_name(storage: Location, spec_name: str) -> str:
    """`<spec>-<n>` with the first n that no directory under `storage` has."""
    taken = set(children(storage))
    return next(name for n in range(1, len(taken) + 2) if (name := f"{spec_name}-{n}") not in taken)


def usable_storage(storage: str) -> Location:
    """What a `--storage` names; StudyError for object storage that takes no object, or does not give it back."""
    where = location(storage)
    if isinstance(where, ObjectPath):
        probe = where / f".probe-{uuid.uuid4().hex}"
        try:
            probe.write_text(probe.name)
            probe.read_text()
            probe.remove()
        except OSError as error:
            raise StudyError(
                f"--storage {storage}: cannot be written ({one_line(str(error))}); needs a bucket that exists and"
                " credentials for it"
            ) from error
    return where


def create_study(spec: StudySpec, storage: Location, execute: Execute = in_threads) -> StudyDirectory:
    """Checks spec, faces and judge, then makes `<storage>/<name>` with its study.toml and controls.

    StudyError where that directory exists; errors in the data or the design, and controls that fail, are raised before
    anything but the prepared copy of the faces is written.
    """
    place = open_storage(str(storage / spec.name))
    if place.has(SPEC_FILE if place.remote else "."):
        raise _exists(place)
    require_packages(spec.loggers)
    if place.remote and "tensorboard" in spec.loggers:
        raise StudyError(
            f"loggers = {spec.loggers}: TensorBoard's files grow, which objects do not; leave it out"
        )
    check_designs(spec)
    if spec.warm_start is not None:
        spec = with_values(spec, {"warm_start": str(_absolute(spec.warm_start))})
        check_earlier(spec)
    spec = with_absolute_dataset(spec)
    prepared = prepare_faces(spec, storage, execute)
    controls = controls_of(spec, prepared)
    shared(prepared, storage)
    fingerprint = open_prepared(prepared).fingerprint
    spec = with_values(spec, {"data_fingerprint": fingerprint, "judge_version": JUDGE_VERSION})
    _make(place, {CONTROLS: controls, SPEC_FILE: to_toml(spec)})
    return StudyDirectory(place, spec, prepared)


def _make(place: StudyStorage, files: Mapping[str, str]) -> None:
    """The study with its first files; StudyError where another launch of that name was faster."""
    if place.remote is None:
        try:
            place.directory.mkdir(parents=True)
        except FileExistsError as error:
            raise _exists(place) from error
    writer = Writer(place)
    try:
        if place.has(SPEC_FILE):
            raise _exists(place)
        for name, content in files.items():
            (place.directory / name).write_text(content)
            place.publish(name)
    finally:
        writer.release()


def _exists(place: StudyStorage) -> StudyError:
    return StudyError(
        f"{place} exists already: choose another --name, or go on with: aia-study resume {place.argument}"
    )


def _absolute(study: str) -> Location:
    where = location(study)
    return where.expanduser().resolve() if isinstance(where, Path) else where


def with_absolute_dataset(spec: StudySpec) -> StudySpec:
    """The spec with its dataset's path written out: a resume may be called from anywhere."""
    kind, colon, location = spec.dataset.partition(":")
    if not location or not Path(location).expanduser().exists():
        return spec
    return with_values(spec, {"dataset": f"{kind}{colon}{Path(location).expanduser().resolve()}"})


def open_study_directory(path: Location, execute: Execute = in_threads) -> StudyDirectory:
    """The study that `launch` made at `path`; StudyError where there is none."""
    place = open_storage(str(path))
    if not place.fetch(SPEC_FILE).is_file():
        raise StudyError(f"{path} is no study: it has no {SPEC_FILE}; aia-study launch makes one")
    spec = load_spec(str(place.directory / SPEC_FILE))
    known = found(path.parent, spec.data_fingerprint) if spec.data_fingerprint else None
    prepared = known or prepare_faces(spec, path.parent, execute)
    if "checkpoints_behind_front" not in spec.model_fields_set:  # of a release that kept them all
        spec = with_values(spec, {"checkpoints_behind_front": "all"})
    if spec.data_fingerprint not in (None, open_prepared(prepared).fingerprint):
        raise StudyError(
            f"{path}: {spec.dataset} holds other faces than at launch; restore them, or launch a new study"
        )
    return StudyDirectory(place, spec, prepared)


def check_designs(spec: StudySpec) -> None:
    """ConfigError where what the spec fixes makes a training impossible, under any choice of its space."""
    searched = searched_space(spec)
    choices = [
        {name: option}
        for name, domain in searched.parameters.items()
        if isinstance(domain, Choice)
        for option in domain.options
    ]
    for design in ({}, *choices, *spec.designs):
        values = resolve({**searched.defaults(), **design}, spec.fixed)
        training_config(TrialPlan("default", None, "search", "aia", values, spec.seed), spec)


def prepare_faces(spec: StudySpec, storage: Location, execute: Execute = in_threads) -> Path:
    """The one prepared copy of the spec's faces, made if it is not there; DataError where they cannot be used.

    `execute` runs the blocks of images that are not prepared yet.
    """
    prepared = prepare(
        spec.dataset,
        image_side=spec.image_side,
        attribute=spec.attributes[0],
        positive=spec.positive,
        cache=cache_of(storage),
        execute=execute,
        further_attributes=spec.attributes[1:],
    )
    check_splits(open_prepared(prepared), spec.attributes, spec.split_seed)
    return prepared


def extend_study(study: StudyDirectory, trials: int) -> StudyDirectory:
    """The study with its search extended to `trials`, also in its study.toml; StudyError for fewer than now."""
    if trials < study.spec.trials:
        raise StudyError(
            f"--trials {trials}: {study.storage} has {study.spec.trials} planned; a study only grows"
        )
    return _grown(study, "trials", trials)


def extend_seeds(study: StudyDirectory, seeds: int) -> StudyDirectory:
    """The study with `seeds` seeds of its designs and baselines, also in its study.toml; StudyError for fewer."""
    if seeds < study.spec.seeds:
        raise StudyError(
            f"--seeds {seeds}: {study.storage} has {study.spec.seeds} planned; a study only grows"
        )
    return _grown(study, "seeds", seeds)


def extend_confirmation(study: StudyDirectory, seeds: int | None) -> StudyDirectory:
    """The study with its front to be confirmed on `seeds` fresh seeds, also in its study.toml.

    None keeps the number that is planned, 3 where none is. StudyError for fewer than now, and where constraints leave
    no front; AnalysisError where no search trial was judged.
    """
    planned = study.spec.confirm_seeds
    wanted = seeds or planned or CONFIRM_SEEDS
    if wanted < planned:
        raise StudyError(f"--seeds {wanted}: {study.storage} has {planned} planned; a study only grows")
    with ResultsStore(study.storage):  # rows that a dead driver left become readable
        trials = read_trials(open_tables(study.path))
    require_objectives(
        trials.filter(pl.col("phase") == "search"), str(study.storage), study.spec.search_objectives
    )
    if search_front(trials, study.spec).is_empty():
        raise StudyError(
            f"{study.storage}: no complete search trial is within the constraints"
            f" ({', '.join(study.spec.constraints)}); nothing to confirm: extend the"
            f" search with: aia-study resume {study.storage.argument} --trials N"
        )
    return study if wanted == planned else _grown(study, "confirm_seeds", wanted)


def refuse_other_release(study: StudyDirectory) -> None:
    """StudyError where another version of the judge has judged the study, so that figures would not compare, or where
    its tables have other columns, so that no glob would read both."""
    begun = study.spec.judge_version or 1
    if begun != JUDGE_VERSION:
        raise StudyError(
            f"{study.storage} was judged by version {begun} of the judge, this release has version {JUDGE_VERSION}:"
            " their figures do not compare; read it as it is, or launch a new study"
        )
    for part in parts_of(study.storage):
        version = part_version(study.storage, part)
        if version != SCHEMA_VERSION:
            raise StudyError(
                f"{found_at(study.storage, part)} has version {version} of the tables, this release writes version"
                f" {SCHEMA_VERSION}: one study cannot hold both; read it as it is, or launch a new study"
            )


def _grown(study: StudyDirectory, key: str, count: int) -> StudyDirectory:
    refuse_other_release(study)
    spec = with_values(study.spec, {key: count})
    with ResultsStore(study.storage):  # nobody else runs the study while its plan grows
        refuse_other_release(study)  # of object storage only now all parts are here
        aside = study.path / f".{SPEC_FILE}"
        aside.write_text(to_toml(spec))
        aside.replace(study.path / SPEC_FILE)
        study.storage.publish(SPEC_FILE)
    return replace(study, spec=spec)
