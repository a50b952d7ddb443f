"""Folders of a study are created only if the study's directory exists."""

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
    storage = StudyStorage(tmp_path)
    assert storage.make_folder("stage1/key") == tmp_path / "stage1" / "key"
    assert storage.make_folder("stage1/key").is_dir()


def saved(storage: StudyStorage) -> None:
    """Save a running trial, with an empty training state because only the written folder is tested."""
    SavedTraining(storage, "state/t", "key").save(None, Trained())  # type: ignore[arg-type]


class StandIn(SimpleNamespace):
    """A trial with the parts that Ray's loggers use; it is hashable, because they use it as a key."""

    __hash__ = object.__hash__


TRIAL: Any = StandIn(config={"trial_id": "t"})

WRITES = {
    "a folder": lambda storage: storage.make_folder("stage1/key"),
    "stage 1": lambda storage: SharedStage1(storage, "key")._keep(TrainingState({}, ())),
    "a lease": lambda storage: LeaseQueue(storage.directory / "stage1" / "key").acquire(),
    "a saved training": saved,
    "a training state": lambda storage: save(
        TrainingState({}, ()), storage.directory / "state" / "t" / "file"
    ),
    "a checkpoint": lambda storage: checkpoint.save(
        Anonymizer(TrainingConfig(), (1, 16, 16)), storage.directory / "checkpoints" / "t", {}
    ),
    "resamples": lambda storage: write_resamples(
        storage.directory / "resamples" / "t.parquet", "t", None, {}
    ),  # type: ignore[arg-type]
    "a logger": lambda storage: StudyTensorBoard(storage.directory / "tensorboard").log_trial_start(TRIAL),
    "the lock": Writer,
}
FOLDER_MADE_BEFORE = ("a lease", "a training state")


@pytest.mark.parametrize("what", WRITES)
def test_a_study_whose_storage_went_away_is_not_made_anew(tmp_path, what, monkeypatch):
    """Files in a new directory would be missing from the storage, or in its way, when it comes back."""
    monkeypatch.setattr("study.trial.saved_training.capture", lambda *given: TrainingState({}, ()))
    study = tmp_path / "storage" / "study"
    with suppress(OSError):
        WRITES[what](StudyStorage(study))
    assert list(tmp_path.iterdir()) == []
    study.mkdir(parents=True)
    if what not in FOLDER_MADE_BEFORE:
        WRITES[what](StudyStorage(study))
        assert list(study.iterdir()) != []
