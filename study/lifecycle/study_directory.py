"""A study's directory: `launch` creates it, and `resume` opens it again."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aia_models.config import TrainingConfig
from aia_models.data.prepared.blocks import Execute, in_threads
from aia_models.data.prepared.prepare import open_prepared
from aia_models.errors import ConfigError
from aia_models.judging.judge import JUDGE_VERSION
from aia_models.networks.encoder import Encoder
from analysis.tables.location import Location, ObjectPath, children, location
from search_spaces.domains import Choice
from search_spaces.hyperparameters import resolve
from study.errors import StudyError
from study.lifecycle.judge_controls import load_or_run_controls
from study.lifecycle.planned_trials import planned_trials
from study.lifecycle.study_faces import (
    fingerprints,
    prepare_attack_faces,
    prepare_faces,
    reopen_attack_faces,
    reopen_faces,
    with_absolute_datasets,
)
from study.search.warm_start import check_earlier_study
from study.spec.choices import require_packages
from study.spec.files import load_spec, to_toml, with_values
from study.spec.spec import StudySpec, searched_space
from study.storage.paths import CONTROLS, SPEC_FILE
from study.storage.prepared_cache import share_prepared
from study.storage.study_storage import StudyStorage, open_storage
from study.storage.writer_lock import Writer
from study.trial.plan import TrialPlan
from study.trial.rows import one_line
from study.trial.training_config import training_config


@dataclass(frozen=True)
class StudyDirectory:
    """A study's files, its frozen spec and the local folder of its prepared faces.

    `attack_prepared` is that of the faces of `attack_dataset`, None where the spec names none.
    """

    storage: StudyStorage
    spec: StudySpec
    prepared: Path
    attack_prepared: Path | None = None

    @property
    def path(self) -> Path:
        """The study's directory, or for object storage this process's local copy of it."""
        return self.storage.directory

    @property
    def parent(self) -> Location:
        """The path or URI of the folder that holds this study and others."""
        return self.storage.location.parent


def next_study_name(storage: Location, spec_name: str) -> str:
    """Return `<spec>-<n>` with the smallest n from 1 on that no study in `storage` has."""
    taken = set(children(storage))
    return next(name for n in range(1, len(taken) + 2) if (name := f"{spec_name}-{n}") not in taken)


def require_writable(storage: str) -> Location:
    """Return the path or URI that `--storage` names. Raises StudyError if object storage cannot be written."""
    folder = location(storage)
    if isinstance(folder, ObjectPath):
        probe = folder / f".probe-{uuid.uuid4().hex}"
        try:
            probe.write_text(probe.name)
            probe.read_text()
            probe.remove()
        except OSError as error:
            raise StudyError(
                f"--storage {storage}: cannot be written ({one_line(str(error))}); it needs a bucket that exists and"
                " credentials for it"
            ) from error
    return folder


def create_study(spec: StudySpec, storage: Location, execute: Execute = in_threads) -> StudyDirectory:
    """Check the spec, the faces and the judge, then create `<storage>/<name>` with its spec file and controls.

    Raises StudyError if that study exists. Errors in the data or a design, and controls that fail, are raised before
    anything but the prepared faces is written. `execute` runs the preparation of blocks of images.
    """
    study = open_storage(str(storage / spec.name))
    if study.exists(SPEC_FILE if study.remote else "."):
        raise _exists_already(study)
    require_packages(spec.loggers)
    if study.remote and "tensorboard" in spec.loggers:
        raise StudyError(
            f"loggers = {spec.loggers}: TensorBoard appends to its files, which object storage does not allow;"
            " leave it out"
        )
    check_designs(spec)
    if spec.warm_start is not None:
        spec = with_values(spec, {"warm_start": str(_absolute(spec.warm_start))})
        check_earlier_study(spec)
    spec = with_absolute_datasets(spec)
    prepared = prepare_faces(spec, storage, execute)
    check_encoders(spec, prepared)
    attack_prepared = prepare_attack_faces(spec, storage, execute)
    frozen = fingerprints(spec, prepared, attack_prepared)
    controls = load_or_run_controls(spec, prepared)
    for folder in filter(None, (prepared, attack_prepared)):
        share_prepared(folder, storage)
    spec = with_values(spec, {**frozen, "judge_version": JUDGE_VERSION})
    _write_first_files(study, {CONTROLS: controls, SPEC_FILE: to_toml(spec)})
    return StudyDirectory(study, spec, prepared, attack_prepared)


def _write_first_files(study: StudyStorage, files: Mapping[str, str]) -> None:
    """Create the study with its first files. Raises StudyError if another launch with that name was faster."""
    if study.remote is None:
        try:
            study.directory.mkdir(parents=True)
        except FileExistsError as error:
            raise _exists_already(study) from error
    writer = Writer(study)
    try:
        if study.exists(SPEC_FILE):
            raise _exists_already(study)
        for name, content in files.items():
            (study.directory / name).write_text(content)
            study.upload(name)
    finally:
        writer.release()


def _exists_already(study: StudyStorage) -> StudyError:
    return StudyError(
        f"{study} exists already: choose another --name, or continue it with: aia-study resume {study.shell_argument}"
    )


def _absolute(study: str) -> Location:
    path = location(study)
    return path.expanduser().resolve() if isinstance(path, Path) else path


def open_study_directory(path: Location, execute: Execute = in_threads) -> StudyDirectory:
    """Open the study that `launch` created at `path`; faces that are not prepared any more are prepared again.

    Raises StudyError if there is no study at `path` or a data set of it has changed. `execute` runs the preparation of
    blocks of images.
    """
    study = open_storage(str(path))
    if not study.download(SPEC_FILE).is_file():
        raise StudyError(f"{path} is no study: it has no {SPEC_FILE}; aia-study launch creates one")
    spec = load_spec(str(study.directory / SPEC_FILE))
    return StudyDirectory(
        study, spec, reopen_faces(spec, path, execute), reopen_attack_faces(spec, path, execute)
    )


def check_designs(spec: StudySpec) -> None:
    """Raise ConfigError if an option of the spec's space, or one of its designs, cannot be trained."""
    for _ in _possible_trainings(spec):
        pass


def check_encoders(spec: StudySpec, prepared: Path) -> None:
    """Raise StudyError if an option of the spec's space, or a design, has an encoder that does not take these faces."""
    shape = open_prepared(prepared).input_shape
    planned = (training_config(plan, spec) for plan in planned_trials(spec))
    for encoder in dict.fromkeys(config.encoder for config in (*_possible_trainings(spec), *planned)):
        try:
            Encoder(encoder, shape)
        except ConfigError as error:
            raise StudyError(f"{spec.dataset} and space = {spec.space}: {error}") from error


def _possible_trainings(spec: StudySpec) -> Iterator[TrainingConfig]:
    """Yield the training of the default design, of each single choice in the space, and of the spec's designs."""
    searched = searched_space(spec)
    choices = [
        {name: option}
        for name, domain in searched.parameters.items()
        if isinstance(domain, Choice)
        for option in domain.options
    ]
    for design in ({}, *choices, *spec.designs):
        values = resolve({**searched.defaults(), **design}, spec.fixed)
        yield training_config(TrialPlan("default", None, "search", "aia", values, spec.seed), spec)
