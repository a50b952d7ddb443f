"""On a full disk each kind of write loses no existing data, and a failed write succeeds later."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from aia_models.config import TrainingConfig
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer
from aia_models.training.state import TrainingState, load, save
from analysis.tables.objectives import SEARCH_OBJECTIVES
from search_spaces.spaces import SPACES
from study.search.proposals import Proposals
from study.storage import retry
from study.storage.results_store import ResultsStore
from study.storage.retry import is_writable
from study.storage.study_storage import StudyStorage
from study.trial import resamples
from study.trial.shared_stage1 import RESULT, SharedStage1
from tests.faults.disk import SmallDisk, may_mount
from tests.study.storage.store_writer import rows_of

pytestmark = pytest.mark.skipif(not may_mount(), reason="needs root, to mount a small disk")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    found = SmallDisk(tmp_path / "disk", mebibytes=32)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "PATIENCE_SECONDS", 0.0)


def trials(disk: SmallDisk) -> list[str]:
    return pl.read_parquet(disk.path / "results" / "trials" / "*.parquet")["trial_id"].to_list()


def test_room_is_told_from_none(disk):
    assert is_writable(StudyStorage(disk.path))
    with disk.full():
        assert not is_writable(StudyStorage(disk.path))
    assert is_writable(StudyStorage(disk.path))


def test_rows_of_a_trial(disk):
    with ResultsStore(StudyStorage(disk.path)) as store:
        store.append(rows_of("trial-1"))

        def append_more() -> None:
            # The last page of the file still holds some of these rows.
            for number in range(2, 100):
                store.append(rows_of(f"trial-{number}"))

        with disk.full(), pytest.raises(OSError, match="No space left"):
            append_more()
        refused = f"trial-{len(store.trial_ids()) + 1}"
        store.append(rows_of(refused))
        expected = sorted(store.trial_ids())
    assert sorted(trials(disk)) == expected
    assert refused in expected


def test_parts(disk):
    store = ResultsStore(StudyStorage(disk.path))
    for number in range(1, 4):
        store.append(rows_of(f"trial-{number}"))
    with disk.full(), pytest.raises(OSError, match="No space left"):
        store.flush()
    assert not list((disk.path / "results").glob("trials/*.parquet")), (
        "a trial is there with all its rows or not"
    )
    store.append(rows_of("trial-4"))
    store.close()
    assert sorted(trials(disk)) == [f"trial-{number}" for number in range(1, 5)]


def test_parts_that_the_next_run_writes(disk):
    store = ResultsStore(StudyStorage(disk.path))
    store.append(rows_of("trial-1"))
    with disk.full(), pytest.raises(OSError, match="No space left"):
        store.close()
    ResultsStore(StudyStorage(disk.path)).close()
    assert trials(disk) == ["trial-1"]


def test_the_journal(disk):
    def opened() -> Proposals:
        return Proposals(disk.path, "study", SPACES["alpha-beta"], "random", 0, SEARCH_OBJECTIVES)

    def ask(times: int) -> None:
        search = opened()
        for _ in range(times):
            search.ask()

    ask(1)
    with disk.full(), pytest.raises(OSError, match="No space left"):
        ask(100)
    journal = (disk.path / "search.journal").read_bytes()
    assert journal.endswith(b"\n"), "no torn line"
    ask(1)
    assert (disk.path / "search.journal").read_bytes().startswith(journal)


def state(value: float) -> TrainingState:
    return TrainingState({"weights": torch.full((500_000,), value)}, (), notes=str(value))


def test_a_trial_under_way(disk):
    path = disk.path / "training.safetensors"
    save(state(1.0), path)
    with disk.full(), pytest.raises(OSError, match="No space left"):
        save(state(2.0), path)
    assert load(path).notes == "1.0"
    save(state(2.0), path)
    assert load(path).notes == "2.0"
    assert sorted(disk.path.iterdir()) == [path], "nothing torn is left"


def test_stage_1(disk):
    """A trial that cannot save stage 1 continues, and the next trial trains stage 1 again."""
    folder = disk.path / "stage1" / "key"
    folder.mkdir(parents=True)
    with disk.full():
        SharedStage1(StudyStorage(disk.path), "key")._keep(state(1.0))
    assert not (folder / RESULT).exists()
    SharedStage1(StudyStorage(disk.path), "key")._keep(state(1.0))
    assert load(folder / RESULT).notes == "1.0"


def test_a_checkpoint(disk):
    folder, anonymizer = disk.path / "trial-1", Anonymizer(TrainingConfig(), (1, 16, 16))
    checkpoint.save(anonymizer, folder, {"number": 1})
    with disk.full(), pytest.raises(OSError, match="No space left"):
        checkpoint.save(anonymizer, folder, {"number": 2})
    assert checkpoint.load(folder).input_shape == (1, 16, 16)
    assert list(disk.path.iterdir()) == [folder], "nothing torn is left"


def test_resamples(disk, monkeypatch):
    path = disk.path / "trial-1.parquet"

    def write(seed: int) -> None:
        bootstrap_samples = np.random.default_rng(seed).random(10_000)
        monkeypatch.setattr(resamples, "_figures", lambda *_: [("test", "attacker_auc", bootstrap_samples)])
        resamples.write_resamples(path, "trial-1", None, {})  # type: ignore[arg-type]

    write(1)
    before = path.read_bytes()
    with disk.full(), pytest.raises(OSError, match="No space left"):
        write(2)
    assert path.read_bytes() == before
    write(2)
    assert path.read_bytes() != before
