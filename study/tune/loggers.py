"""Ray's own loggers, which show a running study in TensorBoard, MLflow or Weights & Biases.

Each trial is one run there: its hyperparameters, and its losses and validation figures by epoch. The tables hold all of
that too, so a logger that fails is left out and the study continues.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray import tune
from ray.air.constants import TRAINING_ITERATION
from ray.tune.experiment import Trial
from ray.tune.logger import LoggerCallback, TBXLoggerCallback
from rich.console import Console

from study.errors import StudyError
from study.spec.choices import Logger, require_packages
from study.spec.spec import StudySpec
from study.trial.rows import exception_line

WANDB_PROJECT = "aia-study"  # where the environment names none
UPLOAD_SECONDS = 120  # longest time that the end of a run waits for Weights & Biases


def study_loggers(spec: StudySpec, directory: Path, console: Console) -> list["StudyLogger"]:
    """Return the loggers that `spec` names, as callbacks for Tune; their files go into the study's `directory`.

    StudyError where the package of a logger is missing, or where a logger cannot start (no server, no login).
    """
    require_packages(spec.loggers)
    return [
        StudyLogger(name, _started(name, spec.name, directory.resolve()), console) for name in spec.loggers
    ]


class StudyLogger(tune.Callback):
    """Passes a study's trials and their figures on to one of Ray's loggers, up to the first call that fails."""

    def __init__(self, name: Logger, logger: LoggerCallback, console: Console) -> None:
        self._name = name
        self._logger = logger
        self._console = console
        self._running: list[Trial] = []
        self._has_failed = False

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing to pickle: Tune pickles its callbacks into a snapshot that no resume reads."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Ray Tune: a trial began to run."""
        self._running.append(trial)
        self._call(self._logger.log_trial_start, trial)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        """Ray Tune: a trial reported an epoch. Only the figures are logged, not what Ray adds about time and process:
        MLflow takes two requests for each number."""
        figures = {name: value for name, value in result.items() if name.endswith(("_loss", "_validation"))}
        if figures:
            step = {TRAINING_ITERATION: result[TRAINING_ITERATION]}
            self._call(self._logger.log_trial_result, iteration, trial, step | figures)

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Ray Tune: a trial ended."""
        self._end(trial, failed=False)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Ray Tune: a trial's worker died, perhaps before the trial began to run."""
        self._end(trial, failed=True)

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        """Ray Tune: the run is over. Tune does not end the trials that are still running, so this does."""
        for trial in list(self._running):
            self._end(trial, failed=True)
        self._call(self._logger.on_experiment_end, trials)

    def _end(self, trial: Trial, failed: bool) -> None:
        if trial in self._running:
            self._running.remove(trial)
            self._call(self._logger.log_trial_end, trial, failed)

    def _call(self, method: Callable[..., None], *arguments: Any) -> None:
        if self._has_failed:
            return
        try:
            method(*arguments)
        except Exception as error:  # noqa: BLE001  a server that went away must not cost the study its trials
            self._has_failed = True
            self._console.print(
                f"logger {self._name} failed and is left out from now on, the tables hold everything:"
                f" {exception_line(error)}"
            )


class StudyTensorBoard(TBXLoggerCallback):
    """Ray's TensorBoard logger, with the files of each trial in a folder of the study, `directory`/TRIAL."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def log_trial_start(self, trial: Trial) -> None:
        folder = self._directory / trial.config["trial_id"]
        for path in (folder.parent, folder):
            path.mkdir(exist_ok=True)  # without parents: a study whose disk went away is not made anew
        self._trial_writer[trial] = self._summary_writer_cls(str(folder), flush_secs=30)
        self._trial_result[trial] = {}


def _started(name: Logger, study: str, directory: Path) -> LoggerCallback:
    try:
        logger = _ray_logger(name, study, directory)
        logger.setup()
    except Exception as error:  # as many kinds as there are servers and ways to log in
        raise StudyError(
            f"loggers = [{name!r}] cannot begin: {exception_line(error)}; remove the cause, or leave the logger out"
        ) from error
    return logger


def _ray_logger(name: Logger, study: str, directory: Path) -> LoggerCallback:
    match name:
        case "tensorboard":
            return StudyTensorBoard(directory / name)
        case "mlflow":
            from ray.air.integrations.mlflow import MLflowLoggerCallback

            return MLflowLoggerCallback(os.environ.get("MLFLOW_TRACKING_URI"), experiment_name=study)
        case "wandb":
            from ray.air.integrations.wandb import WandbLoggerCallback

            project = os.environ.get("WANDB_PROJECT_NAME", WANDB_PROJECT)
            return WandbLoggerCallback(
                project, group=study, upload_timeout=UPLOAD_SECONDS, dir=str(directory)
            )
