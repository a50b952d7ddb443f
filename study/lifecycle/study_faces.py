"""The prepared faces of a study: its own, and those of `attack_dataset`, whose people an attacker learns from."""

from collections.abc import Callable
from pathlib import Path

from aia_models.data.inputs import input_form
from aia_models.data.prepared.blocks import Execute, in_threads
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import check_splits
from aia_models.errors import DataError
from analysis.tables.location import Location
from study.errors import StudyError
from study.spec.files import with_values
from study.spec.spec import StudySpec
from study.storage.prepared_cache import find_prepared, preparation_folder


def with_absolute_datasets(spec: StudySpec) -> StudySpec:
    """Return the spec with absolute paths of its data sets, so that `resume` works from any working directory."""
    named = {"dataset": spec.dataset, "attack_dataset": spec.attack_dataset}
    return with_values(spec, {key: dataset and _absolute(dataset) for key, dataset in named.items()})


def prepare_faces(spec: StudySpec, storage: Location, execute: Execute = in_threads) -> Path:
    """Return the local folder of the study's own prepared faces, preparing them if necessary.

    `execute` runs the preparation of blocks of images. Raises DataError if the faces cannot be used.
    """
    prepared = _prepare(spec, spec.dataset, storage, execute)
    check_splits(open_prepared(prepared), spec.attributes, spec.split_seed)
    return prepared


def prepare_attack_faces(spec: StudySpec, storage: Location, execute: Execute = in_threads) -> Path | None:
    """Return the local folder of the prepared faces of `attack_dataset`, None if the spec names none.

    `execute` runs the preparation of blocks of images. Raises DataError if the faces cannot be used.
    """
    if spec.attack_dataset is None:
        return None
    return _prepare_other(spec, spec.attack_dataset, storage, execute)


def fingerprints(spec: StudySpec, prepared: Path, attack_prepared: Path | None) -> dict[str, str | None]:
    """Return the keys of the spec that freeze its faces. Raises StudyError if both data sets hold the same faces, or
    inputs of different forms.
    """
    own = open_prepared(prepared)
    if attack_prepared is None:
        return {"data_fingerprint": own.fingerprint, "attack_data_fingerprint": None}
    other = open_prepared(attack_prepared)
    if own.fingerprint == other.fingerprint:
        raise StudyError(
            f"attack_dataset = {spec.attack_dataset}: holds the faces of the study itself; needs other people"
        )
    if own.input_shape != other.input_shape:
        raise StudyError(
            f"attack_dataset = {spec.attack_dataset}: holds {input_form(other.input_shape)}; needs "
            f"{input_form(own.input_shape)}, as the study's data set"
        )
    return {"data_fingerprint": own.fingerprint, "attack_data_fingerprint": other.fingerprint}


def reopen_faces(spec: StudySpec, study: Location, execute: Execute = in_threads) -> Path:
    """Return the local folder of the prepared faces of the study at `study`, preparing them again if necessary.

    Raises StudyError if its data set has changed since the launch.
    """
    return _unchanged(
        study, spec.dataset, spec.data_fingerprint, lambda: prepare_faces(spec, study.parent, execute)
    )


def reopen_attack_faces(spec: StudySpec, study: Location, execute: Execute = in_threads) -> Path | None:
    """Return for `attack_dataset` what `reopen_faces` returns for the study's own data set, None if it names none."""
    dataset = spec.attack_dataset
    if dataset is None:
        return None
    return _unchanged(
        study,
        dataset,
        spec.attack_data_fingerprint,
        lambda: _prepare_other(spec, dataset, study.parent, execute),
    )


def _unchanged(
    study: Location, dataset: str, fingerprint: str | None, prepare_again: Callable[[], Path]
) -> Path:
    known = find_prepared(study.parent, fingerprint) if fingerprint else None
    prepared = known or prepare_again()
    if fingerprint not in (None, open_prepared(prepared).fingerprint):
        raise StudyError(
            f"{study}: {dataset} holds other faces than at launch; restore the data set, or launch a new study"
        )
    return prepared


def _prepare(spec: StudySpec, dataset: str, storage: Location, execute: Execute) -> Path:
    return prepare(
        dataset,
        image_side=spec.image_side,
        attributes=spec.attributes,
        positive=spec.positive,
        cache=preparation_folder(storage),
        execute=execute,
    )


def _prepare_other(spec: StudySpec, dataset: str, storage: Location, execute: Execute) -> Path:
    try:
        return _prepare(spec, dataset, storage, execute)
    except DataError as error:
        raise DataError(f"attack_dataset = {dataset}: {error}") from error


def _absolute(dataset: str) -> str:
    kind, colon, place = dataset.partition(":")
    if not place or not Path(place).expanduser().exists():
        return dataset
    return f"{kind}{colon}{Path(place).expanduser().resolve()}"
