"""A study's folders: made where the study is, and nowhere else."""

from contextlib import suppress

import pytest

from aia_models import checkpoint
from aia_models.anonymizer import Anonymizer
from aia_models.config import TrainingConfig
from aia_models.training_state import TrainingState, save
from study.place import Place
from study.resamples import write_resamples
from study.shared_stage1 import SharedStage1
from study.writer import Writer


def test_a_folder_is_made_with_those_above_it_in_the_study(tmp_path):
    place = Place(tmp_path)
    assert place.folder("stage1/key") == tmp_path / "stage1" / "key"
    assert place.folder("stage1/key").is_dir()


WRITES = {
    "a folder": lambda place: place.folder("stage1/key"),
    "stage 1": lambda place: SharedStage1(place, "key")._keep(TrainingState({}, ())),
    "a saved training": lambda place: save(TrainingState({}, ()), place.directory / "state" / "t" / "file"),
    "a checkpoint": lambda place: checkpoint.save(
        Anonymizer(TrainingConfig(), 16), place.directory / "checkpoints" / "t", {}
    ),
    "resamples": lambda place: write_resamples(place.directory / "resamples" / "t.parquet", "t", None, {}),
    "the lock": Writer,
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_study_whose_storage_went_away_is_not_made_anew(tmp_path, write):
    """What would be written there is missing, or in the way, when the storage comes back."""
    place = Place(tmp_path / "storage" / "study")
    with suppress(OSError):
        write(place)
    assert list(tmp_path.iterdir()) == []
