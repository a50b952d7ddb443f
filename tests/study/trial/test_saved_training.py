"""A trial whose process ends continues in another from its last saved epoch and ends with the same rows."""

import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aia_models.config import ComputeConfig
from search_spaces.hyperparameters import resolve
from study.lifecycle.study_directory import create_study
from study.spec.files import load_spec, with_settings
from study.spec.spec import searched_space, with_defaults
from study.storage.outcome import Outcome
from study.trial import run, saved_training
from study.trial.plan import TrialPlan
from study.trial.run import EpochReport, Interrupted, NoStorage, TrialContext, run_trial
from study.trial.saved_training import FILE
from tests.small_faces import SETTINGS

JOINT = 4
ONE_THREAD = ComputeConfig(threads=1)
TIMED = ("seconds", "stage1_reused")


@pytest.fixture(scope="module")
def study_context(faces_folder: Path, module_storage: Path) -> TrialContext:
    more = [f"dataset=folder:{faces_folder}", "name=saved", f"training.joint_epochs={JOINT}"]
    rungs = ["early_stopping.rule=mo_asha", "early_stopping.grace_epochs=2"]
    spec = with_defaults(with_settings(load_spec("quick"), [*SETTINGS, *more, *rungs]))
    study = create_study(spec, module_storage)
    return TrialContext(study.spec, str(study.prepared), str(study.path))


@pytest.fixture
def context(study_context: TrialContext, tmp_path: Path) -> TrialContext:
    """Return the study's context in a directory of the test's own."""
    return replace(study_context, directory=str(tmp_path))


@pytest.fixture(scope="module")
def plan(study_context: TrialContext) -> TrialPlan:
    spec = study_context.spec
    values = resolve(searched_space(spec).defaults() | {"channel": "noise", "noise_sd": 0.1}, spec.fixed)
    return TrialPlan("trial-00000", 0, "search", "aia", values, spec.seed)


def started(plan: TrialPlan, context: TrialContext, compute: ComputeConfig = ONE_THREAD) -> Any:
    return run_trial(plan, context, context.faces, compute)


def outcome(reports: Any) -> Outcome:
    *_, last = reports
    assert isinstance(last, Outcome)
    assert last.trial["status"] == "complete", last.trial["error"]
    return last


@pytest.fixture(scope="module")
def undisturbed(plan: TrialPlan, study_context: TrialContext) -> Outcome:
    """Run the trial without interruption in the study's own directory."""
    return outcome(started(plan, study_context))


def rows(ended: Outcome) -> str:
    all_rows = [ended.trial, *ended.epochs, *ended.attacks, *ended.matches]
    return json.dumps([{k: v for k, v in row.items() if not k.endswith(TIMED)} for row in all_rows])


def weights(directory: Path) -> bytes:
    return (directory / "checkpoints" / "trial-00000" / "model.safetensors").read_bytes()


def saved_file(context: TrialContext) -> Path:
    return Path(context.directory, "state", "trial-00000", FILE)


@pytest.mark.parametrize("reports", [1, 2, 4, 2 + JOINT])
def test_an_interrupted_trial_ends_with_the_rows_and_weights_of_an_undisturbed_one(
    context, plan, study_context, undisturbed, reports, monkeypatch
):
    # With this share only the interruption itself saves the training.
    monkeypatch.setattr(saved_training, "MAX_SHARE", 1e-9)
    running = started(plan, context)
    for _ in range(reports):
        seen = next(running)
    with pytest.raises(StopIteration):
        running.throw(Interrupted())
    assert saved_file(context).exists() == (seen.joint_epoch > 0)
    again = list(started(plan, context))
    new = [report.joint_epoch for report in again if isinstance(report, EpochReport)]
    rung = [2] if seen.joint_epoch >= 2 else []
    first = [0, 0] if seen.joint_epoch == 0 else []
    assert new == first + rung + list(range(seen.joint_epoch + 1, JOINT + 1))
    ended = outcome(again)
    assert rows(ended) == rows(undisturbed)
    assert weights(Path(context.directory)) == weights(Path(study_context.directory))
    earlier = sum(row["seconds"] for row in ended.epochs if row["stage"] == "joint")
    assert ended.trial["wall_seconds"] > earlier


def test_a_rung_is_reported_again_as_it_was(context, plan):
    running = started(plan, context)
    at_rung = next(report for report in running if report.so_far)
    with pytest.raises(StopIteration):
        running.throw(Interrupted())
    again = next(started(plan, context))
    assert (again.joint_epoch, again.record) == (at_rung.joint_epoch, at_rung.record)
    assert again.so_far == at_rung.so_far


TRAIN = """
import pickle, sys
from aia_models.config import ComputeConfig
from study.trial.run import run_trial
plan, context = pickle.loads(bytes.fromhex(sys.argv[1]))
for report in run_trial(plan, context, context.faces, ComputeConfig(threads=1)):
    print(getattr(report, "joint_epoch", "over"), flush=True)
    sys.stdin.readline()
"""


def test_a_killed_trial_goes_on_from_its_last_epoch(context, plan, undisturbed):
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, pickle.dumps((plan, context)).hex()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert process.stdin
    assert process.stdout
    while process.stdout.readline() != "1\n":
        process.stdin.write("on\n")
        process.stdin.flush()
    process.send_signal(signal.SIGKILL)
    process.wait()
    again = list(started(plan, context))
    assert [report.joint_epoch for report in again[:-1]] == [2, 3, 4]
    assert rows(outcome(again)) == rows(undisturbed)


@pytest.mark.parametrize("damage", ["cut", "another computation"])
def test_what_cannot_be_taken_up_is_trained_anew(context, plan, damage):
    running = started(plan, context)
    assert next(report for report in running if report.joint_epoch == 3)
    with pytest.raises(StopIteration):
        running.throw(Interrupted())
    path, compute = saved_file(context), ONE_THREAD
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    else:
        compute = ComputeConfig(threads=1, dtype="bfloat16")
    again = list(started(plan, context, compute))
    assert [report.joint_epoch for report in again[:-1]] == [0, 0, 1, 2, 3, 4]


def test_a_state_that_cannot_be_written_costs_the_trial_nothing(context, plan, undisturbed, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(saved_training, "save", full)
    assert rows(outcome(started(plan, context))) == rows(undisturbed)


def test_a_storage_that_was_away_costs_no_trial(context, plan, undisturbed, monkeypatch):
    """The checkpoint cannot be written at first, and the trial starts again from its saved training."""
    write, failures = run.checkpoint.save, [OSError(5, "Input/output error")]

    def away(*given: Any) -> None:
        if failures:
            raise failures.pop()
        write(*given)

    monkeypatch.setattr(run.checkpoint, "save", away)
    monkeypatch.setattr(run, "is_writable", lambda directory: False)
    monkeypatch.setattr(run, "wait_until_writable", lambda directory: True)
    assert rows(outcome(started(plan, context))) == rows(undisturbed)
    assert failures == []


def test_a_storage_that_stays_away_ends_no_trial_and_an_error_of_its_own_does(context, plan, monkeypatch):
    def away(*given: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(run.checkpoint, "save", away)
    *_, last = started(plan, context)
    assert (last.trial["status"], last.trial["error"]) == ("failed", "OSError: [Errno 5] Input/output error")
    monkeypatch.setattr(run, "is_writable", lambda directory: False)
    monkeypatch.setattr(run, "wait_until_writable", lambda directory: False)
    *_, last = started(plan, context)
    assert last == NoStorage(f"{context.directory} takes no files: OSError: [Errno 5] Input/output error")


@pytest.mark.parametrize(("share", "saves"), [(0.5, JOINT), (0.001, 1)])
def test_saving_takes_no_more_than_a_share_of_the_time(context, plan, monkeypatch, share, saves):
    clock, written = [0.0], []

    def slow(*_: object) -> None:
        clock[0] += 1.0
        written.append(clock[0])

    monkeypatch.setattr(saved_training, "MAX_SHARE", share)
    monkeypatch.setattr(saved_training, "save", slow)
    monkeypatch.setattr(saved_training.time, "monotonic", lambda: clock[0])
    for report in started(plan, context):
        clock[0] += 2.0 if isinstance(report, EpochReport) else 0.0
    assert len(written) == saves
