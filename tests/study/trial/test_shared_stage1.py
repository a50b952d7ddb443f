"""Trials with the same stage 1 train it once, also when they start together, diverge, or one dies."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from aia_models.config import ComputeConfig
from aia_models.errors import DivergedError
from aia_models.training.state import load
from aia_models.training.trainer import EpochRecord
from search_spaces.hyperparameters import resolve
from study.lifecycle.study_directory import create_study
from study.spec.files import load_spec, with_settings
from study.spec.spec import searched_space, with_defaults
from study.storage import lease
from study.storage.outcome import Outcome
from study.storage.study_storage import StudyStorage
from study.trial import shared_stage1
from study.trial.plan import TrialPlan
from study.trial.run import TrialContext, run_trial
from study.trial.shared_stage1 import RESULT, UNDER_WAY, SharedStage1
from tests.small_faces import SETTINGS


class CountingTrainer:
    """Stands in for the trainer: two counted epochs, which last long enough for other trials to arrive."""

    def __init__(self, trained: list[int], fails: Exception | None = None) -> None:
        self.trained = trained
        self.fails = fails
        self.epochs_done = 0

    def run_stage1(self):
        self.trained.append(1)
        time.sleep(0.3)
        if self.epochs_done < 1:
            yield EpochRecord(1, "autoencoder", 0.5, None, None, None, None, None, 16, 0.1)
        if self.fails:
            raise self.fails
        yield EpochRecord(2, "heads", None, 0.5, 0.5, None, 0.5, 0.5, 32, 0.1)


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace `capture` and `restore` by versions without networks; return the list of restored trainers."""
    restored: list[Any] = []
    monkeypatch.setattr(
        shared_stage1, "capture", lambda _, records: shared_stage1.TrainingState({}, tuple(records))
    )

    def restore(trainer: Any, stage1: Any) -> None:
        trainer.epochs_done = len(stage1.records)
        restored.append(trainer)

    monkeypatch.setattr(shared_stage1, "restore", restore)
    return restored


def test_trials_that_start_at_the_same_moment_train_it_once(tmp_path, stubbed):
    count, trained = 8, []
    barrier = Barrier(count)

    def trial(_: int) -> tuple[SharedStage1, list[EpochRecord]]:
        mine = SharedStage1(StudyStorage(tmp_path), "key")
        barrier.wait()
        return mine, list(mine.run(CountingTrainer(trained)))  # type: ignore[arg-type]

    with ThreadPoolExecutor(count) as pool:
        ended = list(pool.map(trial, range(count)))
    assert len(trained) == 1
    assert Counter(mine.reused for mine, _ in ended) == {True: count - 1, False: 1}
    assert len(stubbed) == count - 1
    assert all(records == ended[0][1] for _, records in ended)
    assert all(mine.wait_seconds == 0 for mine, _ in ended if not mine.reused)


def test_a_stage_1_that_diverges_does_so_once(tmp_path, stubbed):
    trained: list[int] = []
    for _ in range(3):
        with pytest.raises(DivergedError, match="loss is nan"):
            list(
                SharedStage1(StudyStorage(tmp_path), "key").run(
                    CountingTrainer(trained, DivergedError("loss is nan"))  # type: ignore[arg-type]
                )
            )
    assert len(trained) == 1
    assert len(load(tmp_path / "stage1" / "key" / RESULT).records) == 1


@pytest.mark.parametrize("content", [b"", b"half of a"])
def test_a_damaged_result_is_trained_again_and_replaced(tmp_path, stubbed, content):
    trained: list[int] = []
    (tmp_path / "stage1" / "key").mkdir(parents=True)
    (tmp_path / "stage1" / "key" / RESULT).write_bytes(content)
    for reused in (False, True):
        mine = SharedStage1(StudyStorage(tmp_path), "key")
        list(mine.run(CountingTrainer(trained)))  # type: ignore[arg-type]
        assert mine.reused == reused
    assert len(trained) == 1


def test_a_result_that_cannot_be_kept_costs_the_trial_nothing(tmp_path, stubbed, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(shared_stage1, "save", full)
    trained: list[int] = []
    for _ in range(2):
        assert len(list(SharedStage1(StudyStorage(tmp_path), "key").run(CountingTrainer(trained)))) == 2  # type: ignore[arg-type]
    assert len(trained) == 2


def test_a_trainer_that_fails_lets_the_next_one_in_at_once(tmp_path, stubbed):
    trained: list[int] = []
    with pytest.raises(OSError, match="out of memory"):
        list(
            SharedStage1(StudyStorage(tmp_path), "key").run(
                CountingTrainer(trained, OSError("out of memory"))
            )
        )  # type: ignore[arg-type]
    second = SharedStage1(StudyStorage(tmp_path), "key")
    list(second.run(CountingTrainer(trained)))  # type: ignore[arg-type]
    assert len(trained) == 2
    assert (second.reused, second.wait_seconds) == (False, 0.0)


def test_a_trial_that_is_stopped_in_stage_1_lets_go(tmp_path, stubbed):
    trained: list[int] = []
    running = SharedStage1(StudyStorage(tmp_path), "key").run(CountingTrainer(trained))  # type: ignore[arg-type]
    next(running)
    running.close()  # type: ignore[attr-defined]
    second = SharedStage1(StudyStorage(tmp_path), "key")
    assert len(list(second.run(CountingTrainer(trained)))) == 2  # type: ignore[arg-type]
    assert second.wait_seconds == 0.0


@pytest.mark.parametrize("dies", [False, True])
def test_the_next_one_goes_on_where_a_stopped_trial_stood(tmp_path, stubbed, dies):
    """After a kill the next trial continues from the last save, which here follows the first epoch."""
    first = CountingTrainer([])
    running = SharedStage1(StudyStorage(tmp_path), "key").run(first)  # type: ignore[arg-type]
    next(running)
    under_way = tmp_path / "stage1" / "key" / UNDER_WAY
    as_it_was = under_way.read_bytes()
    running.close()  # type: ignore[attr-defined]
    if dies:
        under_way.write_bytes(as_it_was)
    second = CountingTrainer([])
    assert [r.epoch for r in SharedStage1(StudyStorage(tmp_path), "key").run(second)] == [1, 2]  # type: ignore[arg-type]
    assert stubbed == [second], "restored, and its first epoch not trained again"
    assert [file.name for file in (tmp_path / "stage1" / "key").glob("*.safetensors")] == [RESULT]


@pytest.fixture
def context(faces_folder: Path, storage: Path) -> TrialContext:
    more = [f"dataset=folder:{faces_folder}", "name=shared", "training.stage1_epochs=3"]
    spec = with_defaults(with_settings(load_spec("quick"), [*SETTINGS, *more]))
    study = create_study(spec, storage)
    return TrialContext(study.spec, str(study.prepared), str(study.path))


def plan(context: TrialContext, number: int, **values: Any) -> TrialPlan:
    spec = context.spec
    values = resolve({**searched_space(spec).defaults(), **values}, spec.fixed)
    return TrialPlan(f"trial-{number:05d}", number, "search", "aia", values, spec.seed)


def outcome(context: TrialContext, trial: TrialPlan) -> Outcome:
    *_, last = run_trial(trial, context, context.faces, ComputeConfig(threads=1))
    assert isinstance(last, Outcome)
    assert last.trial["status"] == "complete", last.trial["error"]
    return last


def test_a_trial_that_takes_it_ends_bit_equal_to_one_that_trains_it(context, tmp_path):
    first = outcome(context, plan(context, 0, beta=0.5))
    taken = outcome(context, plan(context, 1, beta=3.0))
    (tmp_path / "alone").mkdir()
    alone = TrialContext(context.spec, context.prepared, str(tmp_path / "alone"))
    own = outcome(alone, plan(context, 1, beta=3.0))
    assert [o.trial["stage1_reused"] for o in (first, taken, own)] == [False, True, False]
    assert len({o.trial["stage1_key"] for o in (first, taken, own)}) == 1

    def figures(o: Outcome) -> list[dict[str, Any]]:
        timed = ("stage1_reused", "stage1_wait_seconds")
        rows = [o.trial, *o.epochs, *o.attacks, *o.matches]
        return [
            {k: v for k, v in row.items() if not k.endswith("seconds") and k not in timed} for row in rows
        ]

    assert json.dumps(figures(taken)) == json.dumps(figures(own))
    weights = [
        Path(where, "checkpoints", "trial-00001", "model.safetensors").read_bytes()
        for where in (context.directory, alone.directory)
    ]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("epochs", [1, 3, 4])
def test_a_trial_stopped_in_stage_1_ends_as_if_it_had_not_been(context, tmp_path, epochs):
    trial = plan(context, 0, channel="noise", noise_sd=0.1)
    running = run_trial(trial, context, context.faces, ComputeConfig(threads=1))
    for _ in range(epochs):
        next(running)
    running.close()
    (under_way,) = Path(context.directory).glob(f"stage1/*/{UNDER_WAY}")
    assert len(load(under_way).records) == epochs
    again = outcome(context, trial)
    (tmp_path / "alone").mkdir()
    alone = TrialContext(context.spec, context.prepared, str(tmp_path / "alone"))
    undisturbed = outcome(alone, trial)
    rows = [
        [
            {k: v for k, v in row.items() if not k.endswith("seconds")}
            for row in (o.trial, *o.epochs, *o.attacks)
        ]
        for o in (again, undisturbed)
    ]
    assert rows[0] == rows[1]
    weights = [
        Path(where, "checkpoints", "trial-00000", "model.safetensors").read_bytes()
        for where in (context.directory, alone.directory)
    ]
    assert weights[0] == weights[1]


def test_judging_on_the_way_changes_nothing_of_the_training(context, tmp_path):
    judged_spec = with_settings(context.spec, ["judge_each_epoch=true", "training.joint_epochs=3"])
    plain_spec = with_settings(context.spec, ["training.joint_epochs=3"])
    ended = {}
    for name, spec in (("judged", judged_spec), ("plain", plain_spec)):
        (tmp_path / name).mkdir()
        where = TrialContext(spec, context.prepared, str(tmp_path / name))
        ended[name] = outcome(where, plan(where, 0, channel="noise", noise_sd=0.1))
    judged = {
        name: [row["epoch"] for row in o.epochs if row.get("judging_seconds")] for name, o in ended.items()
    }
    assert judged == {"judged": [5, 6, 7], "plain": [7]}
    weights = [
        (tmp_path / name / "checkpoints" / "trial-00000" / "model.safetensors").read_bytes() for name in ended
    ]
    assert weights[0] == weights[1]
    timed = ("wall_seconds", "stage1_wait_seconds")
    rows = [{k: v for k, v in o.trial.items() if k not in timed} for o in ended.values()]
    assert rows[0] == rows[1]


TRAIN = """
import pickle, sys
from aia_models.config import ComputeConfig
from study.trial.run import run_trial
plan, context = pickle.loads(bytes.fromhex(sys.argv[1]))
for report in run_trial(plan, context, context.faces, ComputeConfig(threads=1)):
    print("an epoch", flush=True)
"""


def test_where_the_trial_that_trains_it_is_killed_another_takes_over(context, monkeypatch):
    monkeypatch.setattr(lease, "DEAD_SECONDS", 3.0)
    first = plan(context, 0)
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, pickle.dumps((first, context)).hex()],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "an epoch\n"
    # The process still holds the lease when it is killed.
    process.send_signal(signal.SIGSTOP)
    key_folder = next(Path(context.directory, "stage1").iterdir())
    assert not (key_folder / RESULT).exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    second = outcome(context, plan(context, 1, beta=3.0))
    assert (second.trial["stage1_reused"], second.trial["stage1_wait_seconds"] > 2) == (False, True)
    assert outcome(context, plan(context, 2, beta=1.0)).trial["stage1_reused"]
