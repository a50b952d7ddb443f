"""Ray's own loggers, for those who watch trainings in TensorBoard, MLflow or Weights & Biases.

They see each trial as one run: its hyperparameters once, its losses and objectives by epoch. The tables hold all of it
and more, so a logger that fails is left out and the study goes on.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune
from ray.air.constants import TRAINING_ITERATION
from ray.tune.logger import LoggerCallback, TBXLoggerCallback
from rich.console import Console

from study.errors import StudyError
from study.spec.choices import Logger, require_packages
from study.spec.spec import StudySpec
from study.trial.plan import TrialPlan
from study.trial.rows import Outcome, exception_line
from study.tune.searcher import OUTCOME, PLAN, RECORDS, SO_FAR

WANDB_PROJECT = "aia-study"  # where the environment names none
UPLOAD_SECONDS = 120  # that the end of a run waits for Weights & Biases


@dataclass(eq=False)
class LoggedTrial:
    """A trial as Ray's loggers read one, with our names: they use it as a key, too.

    `trial_id` is Ray's: a trial that is run again is a run of its own.
    """

    trial_id: str
    name: str
    experiment_dir_name: str
    config: dict[str, Any]
    folder: Path
    last_epoch: int = 0
    last_names: set[str] = field(default_factory=set)

    @property
    def evaluated_params(self) -> dict[str, Any]:
        """TensorBoard's hyperparameters."""
        return self.config

    @property
    def local_path(self) -> str:
        """The folder that belongs to this trial alone, made for loggers that ask for it, in a study that is there."""
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(exist_ok=True)
        return str(self.folder)

    def init_local_path(self) -> None:
        """Nothing: see `local_path`."""

    def news(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, dict[str, float]]]:
        """Epochs with their figures in `rows` that were not logged yet: judging adds some to an epoch that was."""
        news = []
        for row in rows:
            epoch, figures = row["epoch"], _figures(row)
            if epoch == self.last_epoch:
                figures = {name: value for name, value in figures.items() if name not in self.last_names}
            elif epoch > self.last_epoch:
                self.last_epoch, self.last_names = epoch, set()
            else:
                continue
            if figures:
                self.last_names |= figures.keys()
                news.append((epoch, figures))
        return news

    def __str__(self) -> str:
        return self.name


class StudyLoggers(tune.Callback):
    """Passes what happens to a study's trials on to the loggers that its spec names."""

    def __init__(self, spec: StudySpec, directory: Path, console: Console) -> None:
        require_packages(spec.loggers)
        self._study = spec.name
        self._directory = directory.resolve()
        self._console = console
        self._loggers: dict[Logger, LoggerCallback] = {
            name: _set_up(name, spec.name) for name in spec.loggers
        }
        self._trials: dict[tuple[Logger, str], Any] = {}  # LoggedTrials, which the loggers take for Ray's

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks into a snapshot that no resume reads."""
        return {}

    def on_trial_start(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Ray Tune: a trial began to run."""
        plan = TrialPlan.from_json(trial.config[PLAN])
        for name in list(self._loggers):
            folder = self._directory / name / plan.trial_id
            logged: Any = LoggedTrial(trial.trial_id, plan.trial_id, self._study, _parameters(plan), folder)
            self._trials[name, trial.trial_id] = logged
            self._pass_on(name, partial(self._loggers[name].log_trial_start, logged))

    def on_trial_result(
        self, iteration: int, trials: list, trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """Ray Tune: epochs have ended, or the trial has."""
        if not self._loggers:
            return
        text = result.get(OUTCOME) or result.get(SO_FAR)
        rows = Outcome.from_json(text).epochs if text else result.get(RECORDS, [])
        for name in list(self._loggers):
            if logged := self._trials.get((name, trial.trial_id)):
                self._pass_on(name, partial(_log, self._loggers[name], logged, logged.news(rows)))

    def on_trial_complete(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Ray Tune: a trial ended."""
        self._end(trial, failed=False)

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Ray Tune: a trial's worker died."""
        self._end(trial, failed=True)

    def on_experiment_end(self, trials: list, **info: Any) -> None:
        """Ray Tune: the run is over; trials under way end here, and what still travels has to arrive."""
        for (name, _), logged in self._trials.items():
            if name in self._loggers:
                self._pass_on(name, partial(self._loggers[name].log_trial_end, logged, failed=True))
        self._trials.clear()
        for name in list(self._loggers):
            self._pass_on(name, partial(self._loggers[name].on_experiment_end, []))

    def _end(self, trial: Any, failed: bool) -> None:
        for name in list(self._loggers):
            logged = self._trials.pop((name, trial.trial_id), None)
            if logged:
                self._pass_on(name, partial(self._loggers[name].log_trial_end, logged, failed=failed))

    def _pass_on(self, name: Logger, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001  a server that went away must not cost the study its trials
            del self._loggers[name]
            self._console.print(
                f"logger {name} failed and is left out from now on, the tables hold everything:"
                f" {exception_line(error)}"
            )


def _log(logger: LoggerCallback, trial: Any, news: list[tuple[int, dict[str, float]]]) -> None:
    for epoch, figures in news:
        logger.log_trial_result(epoch, trial, {TRAINING_ITERATION: epoch, **figures})


def _parameters(plan: TrialPlan) -> dict[str, Any]:
    known = {"phase": plan.phase, "method": plan.method, "seed": plan.seed, **plan.values}
    return {name: value for name, value in known.items() if value is not None}


def _figures(row: Mapping[str, Any]) -> dict[str, float]:
    """Of an `epochs` row the losses, and what was measured on validation identities."""
    return {
        name: value
        for name, value in row.items()
        if name.endswith(("_loss", "_validation")) and value is not None
    }


def _set_up(name: Logger, study: str) -> LoggerCallback:
    try:
        logger = _MAKERS[name](study)
        logger.setup()
    except Exception as error:  # as many kinds as there are servers and ways to log in
        raise StudyError(
            f"loggers = [{name!r}] cannot begin: {exception_line(error)}; mend it, or leave it out"
        ) from error
    return logger


def _tensorboard(study: str) -> LoggerCallback:
    return TBXLoggerCallback()


def _mlflow(study: str) -> LoggerCallback:
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    return MLflowLoggerCallback(os.environ.get("MLFLOW_TRACKING_URI"), experiment_name=study)


def _wandb(study: str) -> LoggerCallback:
    from ray.air.integrations.wandb import WandbLoggerCallback

    project = os.environ.get("WANDB_PROJECT_NAME", WANDB_PROJECT)
    return WandbLoggerCallback(project, group=study, upload_timeout=UPLOAD_SECONDS)


_MAKERS: dict[Logger, Callable[[str], LoggerCallback]] = {
    "tensorboard": _tensorboard,
    "mlflow": _mlflow,
    "wandb": _wandb,
}
