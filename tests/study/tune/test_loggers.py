"""Loggers beside the tables: what Ray's own callbacks log, and the effect of a logger that fails."""

import io
import os
import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from ray.tune.logger import LoggerCallback
from rich.console import Console
from tensorboardX.proto.event_pb2 import Event

from search_spaces.hyperparameters import resolve
from study.cli import run
from study.errors import SpecError, StudyError
from study.spec.files import load_spec, with_settings
from study.spec.spec import searched_space
from study.storage.outcome import Outcome
from study.trial.plan import TrialPlan
from study.trial.rows import trial_row
from study.tune.loggers import study_loggers
from tests.study.tune.stub_loggers import read_notes, write_stubs

OBJECTIVES = ("attacker_auc_validation", "matching_auc_validation")


class Noted(LoggerCallback):
    """A logger that notes Ray's calls as tuples and fails at the step `fails_at`."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.calls: list[tuple] = []
        self._fails_at = fails_at

    def log_trial_start(self, trial: Any) -> None:
        self.calls.append(("start", str(trial), trial.config))

    def log_trial_result(self, iteration: int, trial: Any, result: dict) -> None:
        step = result.pop("training_iteration")
        if step == self._fails_at:
            raise ConnectionError("no server\nat all")
        self.calls.append((step, str(trial), result))

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        self.calls.append(("failed" if failed else "end", str(trial)))

    def on_experiment_end(self, trials: list, **info: Any) -> None:
        self.calls.append(("over",))


class StandIn(SimpleNamespace):
    """A trial with the parts that loggers use."""

    def __str__(self) -> str:
        return self.config["trial_id"]


class Driven:
    """The loggers of a study, called as Ray Tune calls them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, **loggers: LoggerCallback) -> None:
        monkeypatch.setattr("study.tune.loggers._ray_logger", lambda name, *_: loggers[name])
        monkeypatch.setattr("study.tune.loggers.require_packages", lambda _: None)
        spec = with_settings(load_spec("quick"), [f"loggers={[*loggers]}"])
        self.printed = io.StringIO()
        self.callbacks = study_loggers(spec, folder, Console(file=self.printed, width=500))
        plan = TrialPlan("trial-00003", 3, "search", "aia", {"alpha": 2.0, "noise_sd": None}, 7)
        self.trial: Any = StandIn(trial_id="abc", config=plan.to_config())

    def start(self) -> None:
        for callback in self.callbacks:
            callback.on_trial_start(0, [], self.trial)

    def result(self, **result: Any) -> None:
        for callback in self.callbacks:
            callback.on_trial_result(0, [], self.trial, result)

    def complete(self) -> None:
        for callback in self.callbacks:
            callback.on_trial_complete(0, [], self.trial)

    def error(self) -> None:
        for callback in self.callbacks:
            callback.on_trial_error(0, [], self.trial)

    def end(self) -> None:
        for callback in self.callbacks:
            callback.on_experiment_end([])


def epoch(number: int, **figures: float) -> dict[str, Any]:
    unlogged = {"stage": "joint", "seconds": 1.0, "train_images_seen": 5, "pid": 9, "config": {"alpha": 2.0}}
    return {**unlogged, "training_iteration": number, "epoch": number, "total_loss": number / 10, **figures}


def test_a_trial_is_a_run_with_its_hyperparameters_and_its_figures_by_epoch(monkeypatch, tmp_path):
    noted = Noted()
    driven = Driven(monkeypatch, tmp_path, wandb=noted)
    spec = load_spec("quick")
    values = resolve(searched_space(spec).defaults(), spec.fixed)
    plan = TrialPlan("trial-00003", 3, "search", "aia", values, 7)
    driven.start()
    driven.result(**epoch(1))
    driven.result(
        **epoch(2, attacker_auc_validation=0.6), outcome=Outcome(trial_row(plan, spec, "stopped_early"))
    )
    driven.result(training_iteration=2, epoch=2, matching_auc_validation=0.7, done=True)
    driven.complete()
    driven.end()
    name = "trial-00003"
    config = {
        "trial_id": name,
        "optuna_number": 3,
        "phase": "search",
        "method": "aia",
        "seed": 7,
        "alpha": 2.0,
    }
    assert noted.calls == [
        ("start", name, config),
        (1, name, {"total_loss": 0.1}),
        (2, name, {"total_loss": 0.2, "attacker_auc_validation": 0.6}),
        (2, name, {"matching_auc_validation": 0.7}),
        ("end", name),
        ("over",),
    ]


def test_a_trial_whose_worker_died_has_failed(monkeypatch, tmp_path):
    noted = Noted()
    driven = Driven(monkeypatch, tmp_path, mlflow=noted)
    driven.start()
    driven.error()
    assert noted.calls[-1] == ("failed", "trial-00003")


def test_a_worker_that_never_came_up_is_no_run(monkeypatch, tmp_path):
    noted = Noted()
    driven = Driven(monkeypatch, tmp_path, mlflow=noted)
    driven.error()
    assert noted.calls == []


def test_a_result_without_figures_is_not_logged(monkeypatch, tmp_path):
    noted = Noted()
    driven = Driven(monkeypatch, tmp_path, mlflow=noted)
    driven.start()
    driven.result(training_iteration=1, no_storage="/studies/x takes no files", done=True)
    assert [call[0] for call in noted.calls] == ["start"]


def test_a_trial_that_still_runs_when_the_run_ends_is_ended_first(monkeypatch, tmp_path):
    noted = Noted()
    driven = Driven(monkeypatch, tmp_path, wandb=noted)
    driven.start()
    driven.end()
    assert [call[0] for call in noted.calls] == ["start", "failed", "over"]


def test_a_logger_that_fails_is_left_out_and_the_others_go_on(monkeypatch, tmp_path):
    failing, other = Noted(fails_at=2), Noted()
    driven = Driven(monkeypatch, tmp_path, mlflow=failing, wandb=other)
    driven.start()
    for number in (1, 2, 3):
        driven.result(**epoch(number))
    driven.complete()
    assert [call[0] for call in failing.calls] == ["start", 1]
    assert [call[0] for call in other.calls] == ["start", 1, 2, 3, "end"]
    assert driven.printed.getvalue() == (
        "logger mlflow failed and is left out from now on, the tables hold everything: ConnectionError: no server\n"
    )


def test_one_that_cannot_begin_stops_the_run_before_any_trial(monkeypatch, tmp_path):
    class Locked(Noted):
        def setup(self, *args: Any, **kwargs: Any) -> None:
            raise ValueError("no key found")

    with pytest.raises(StudyError, match=r"loggers = \['wandb'\] cannot begin: ValueError: no key found"):
        Driven(monkeypatch, tmp_path, wandb=Locked())


def test_a_package_that_is_missing_is_named_before_anything_is_written(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("study.spec.choices.find_spec", lambda name: None)
    arguments = ["launch", "quick", "--storage", str(tmp_path / "studies"), "--set", "loggers=['mlflow']"]
    assert run(arguments) == 2
    assert "loggers = ['mlflow'] needs a package that is not installed: pip install mlflow" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize("loggers", ["['tensorbord']", "['wandb', 'wandb']", "'wandb'"])
def test_loggers_are_a_list_of_those_there_are(loggers):
    with pytest.raises(SpecError, match="logger"):
        with_settings(load_spec("quick"), [f"loggers={loggers}"])


def events(folder: Path) -> list[Event]:
    """Return the events in all TensorBoard files below a folder.

    A record is the event's length, a checksum, the event and a checksum.
    """
    found = []
    for path in sorted(folder.rglob("events.out.tfevents.*")):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return found


@pytest.mark.slow
def test_a_real_study_logs_to_all_three(storage, tmp_path, tiny_settings):
    notes = tmp_path / "notes.jsonl"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(write_stubs(tmp_path / "stubs")), os.getcwd()]),
        "STUB_NOTES": str(notes),
        "WANDB_MODE": "offline",
        "MLFLOW_TRACKING_URI": "http://somewhere",
    }
    arguments = [
        "launch",
        "quick",
        "--storage",
        str(tmp_path),
        "--name",
        "s",
        "--trials",
        "2",
        *tiny_settings,
    ]
    loggers = ["--set", "loggers=['tensorboard', 'mlflow', 'wandb']"]
    launched = subprocess.run(
        [sys.executable, "-m", "study", *arguments, *loggers],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert launched.returncode == 0, launched.stderr
    assert "left out" not in launched.stderr
    calls = read_notes(notes)
    assert ["mlflow tracking", "http://somewhere"] in calls
    assert ["mlflow experiment", "s"] in calls
    epochs = pl.read_parquet(tmp_path / "s" / "results" / "epochs" / "*.parquet")
    trials = pl.read_parquet(tmp_path / "s" / "results" / "trials" / "*.parquet")
    by_mlflow = {(c[1], c[2], c[3]): c[4] for c in calls if c[0] == "mlflow metric"}
    by_wandb = {(c[1], name, c[2]): v for c in calls if c[0] == "wandb log" for name, v in c[3].items()}
    by_tensorboard = {}
    for trial in trials["trial_id"]:
        for event in events(tmp_path / "s" / "tensorboard" / trial):
            for value in event.summary.value:
                name = value.tag.removeprefix("ray/tune/")
                by_tensorboard[trial, name, event.step] = value.simple_value
    for row in epochs.iter_rows(named=True):
        for name in ("reconstruction_loss", "adversary_loss", "matcher_loss", "total_loss", *OBJECTIVES):
            key = (row["trial_id"], name, row["epoch"])
            for logged in (by_mlflow, by_wandb):
                assert logged.get(key) == row[name], key
            assert by_tensorboard.get(key) == (None if row[name] is None else pytest.approx(row[name])), key
    parameters = [tuple(c[1:3]) for c in calls if c[0] == "mlflow param"]
    assert len(parameters) == len(set(parameters))
    for row in trials.filter(phase="search").iter_rows(named=True):
        assert ["mlflow param", row["trial_id"], "alpha", row["alpha"]] in calls
        (begun,) = [c for c in calls if c[0] == "wandb init" and c[1] == row["trial_id"]]
        assert begun[2:4] == ["aia-study", "s"]
        assert begun[4]["alpha"] == row["alpha"]
        assert ["wandb end", row["trial_id"]] in calls
        assert ["mlflow end", row["trial_id"], "FINISHED"] in calls
