"""A trial as Ray Tune runs it: each step trains at least one epoch, and the last step returns the trial's rows."""

import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from typing import Any

import torch
from ray import tune
from ray.air.constants import TRAINING_ITERATION
from ray.tune.result import DONE

from aia_models.config import ComputeConfig
from analysis.tables.objectives import attribute_column
from study.storage.outcome import Outcome
from study.trial.plan import TrialPlan
from study.trial.run import EpochReport, Interrupted, NoStorage, TrialContext, run_trial
from study.tune.searcher import EPOCH, JOINT_EPOCH, NO_STORAGE, OUTCOME

STEP_SECONDS = 1.0


class AIATrainable(tune.Trainable):
    """Runs one plan after the other in the same process, so that each worker loads libraries and faces once."""

    def setup(self, config: dict[str, Any], context: TrialContext | None = None) -> None:  # type: ignore[override]
        """Ray Tune: a worker has started; the first trial follows."""
        assert context is not None
        self._context = context
        # A round trip to the driver takes milliseconds, about as long as an epoch of a small study.
        self._step_seconds = 0.0 if context.spec.loggers else STEP_SECONDS
        self._load_faces = cache(context.faces)
        self._start(config)

    def step(self) -> dict[str, Any]:
        """Train one epoch, or where nothing logs epochs as many as end within `STEP_SECONDS`, up to a judged one.

        The result holds the figures of the last of these epochs under their column names, and `OUTCOME` where the
        trial was judged or has ended.
        """
        ends = time.monotonic() + self._step_seconds
        for report in self._progress:
            match report:
                case EpochReport(so_far=so_far):
                    result = _epoch_metrics(report)
                    if so_far:
                        return result | self._judged_metrics(so_far)
                    if time.monotonic() >= ends:
                        return result
                case Outcome() as outcome:
                    return self._judged_metrics(outcome) | {DONE: True}
                case NoStorage(reason):
                    return {NO_STORAGE: reason, DONE: True}
        raise RuntimeError("a trial ended without an outcome")

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Ray Tune: the next trial runs in this process."""
        self._start(new_config)
        return True

    def cleanup(self) -> None:
        """Ray Tune: this process ends. A running trial saves its training for the process that will continue it."""
        with suppress(Interrupted, StopIteration):  # a trial that has not begun, or has ended, saves nothing
            self._progress.throw(Interrupted())

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Does nothing: trials save themselves, and write a checkpoint when they are final."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Does nothing: see `save_checkpoint`."""

    def _start(self, config: Mapping[str, Any]) -> None:
        plan = TrialPlan.from_config(config)
        resources = self._context.spec.resources
        placement = self.trial_resources
        has_gpu = placement is not None and placement.required_resources.get("GPU", 0) > 0
        compute = ComputeConfig(
            device="cuda" if has_gpu and torch.cuda.is_available() else "cpu",
            dtype=resources.dtype,
            memory_format=resources.memory_format,
            threads=max(int(resources.cpus_per_trial), 1),
        )
        self._progress: Generator[EpochReport | Outcome | NoStorage] = run_trial(
            plan, self._context, self._load_faces, compute
        )

    def _judged_metrics(self, outcome: Outcome) -> dict[str, Any]:
        """Return the rows, and as plain numbers the objectives and the other figures that the search may look at."""
        spec, row = self._context.spec, outcome.trial
        names = [
            *(objective.column for objective in spec.search_objectives),
            *(constraint.name for constraint in spec.search_constraints),
            *(attribute_column(number, "validation") for number in range(1, len(spec.attributes) + 1)),
        ]
        figures = {name: row[name] for name in names if row.get(name) is not None}
        return figures | {EPOCH: row["epochs"], TRAINING_ITERATION: row["epochs"], OUTCOME: outcome}


def _epoch_metrics(report: EpochReport) -> dict[str, Any]:
    """Return the epoch's record without nulls. Ray's callbacks take TRAINING_ITERATION as the step of a result."""
    record = {name: value for name, value in asdict(report.record).items() if value is not None}
    return record | {JOINT_EPOCH: report.joint_epoch, TRAINING_ITERATION: report.record.epoch}
