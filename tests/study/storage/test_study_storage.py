"""A study's folders: made where the study is, and nowhere else."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from aia_models.config import TrainingConfig
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer
from aia_models.training.state import TrainingState, save
from study.storage.lease import LeaseQueue
from study.storage.study_storage import StudyStorage
from study.storage.writer_lock import Writer
from study.trial.resamples import write_resamples
from study.trial.saved_training import SavedTraining, Trained
from study.trial.shared_stage1 import SharedStage1
from study.tune.loggers import StudyTensorBoard


def test_a_folder_is_made_with_those_above_it_in_the_study(tmp_path):
    place = StudyStorage(tmp_path)
    assert place.folder("stage1/key") == tmp_path / "stage1" / "key"
    assert place.folder("stage1/key").is_dir()


def saved(place: StudyStorage) -> None:
    """As a trial under way saves itself, of which only the writing is looked at."""
    SavedTraining(place, "state/t", "key").save(None, Trained())  # type: ignore[arg-type]


class StandIn(SimpleNamespace):
    """A trial as far as Ray's loggers look at one; they use it as a key."""

    __hash__ = object.__hash__


TRIAL: Any = StandIn(config={"trial_id": "t"})

WRITES = {
    "a folder": lambda place: place.folder("stage1/key"),
    "stage 1": lambda place: SharedStage1(place, "key")._keep(TrainingState({}, ())),
    "a lease": lambda place: LeaseQueue(place.directory / "stage1" / "key").acquire(),
    "a saved training": saved,
    "a training state": lambda place: save(TrainingState({}, ()), place.directory / "state" / "t" / "file"),
    "a checkpoint": lambda place: checkpoint.save(
        Anonymizer(TrainingConfig(), 16), place.directory / "checkpoints" / "t", {}
    ),
    "resamples": lambda place: write_resamples(place.directory / "resamples" / "t.parquet", "t", None, {}),  # type: ignore[arg-type]
    "a logger": lambda place: StudyTensorBoard(place.directory / "tensorboard").log_trial_start(TRIAL),
    "the lock": Writer,
}
FOLDER_MADE_BEFORE = ("a lease", "a training state")


@pytest.mark.parametrize("what", WRITES)
def test_a_study_whose_storage_went_away_is_not_made_anew(tmp_path, what, monkeypatch):
    """What would be written there is missing, or in the way, when the storage comes back."""
    monkeypatch.setattr("study.trial.saved_training.capture", lambda *given: TrainingState({}, ()))
    study = tmp_path / "storage" / "study"
    with suppress(OSError):
        WRITES[what](StudyStorage(study))
    assert list(tmp_path.iterdir()) == []
    study.mkdir(parents=True)
    if what not in FOLDER_MADE_BEFORE:
        WRITES[what](StudyStorage(study))
        assert list(study.iterdir()) != []
