"""A trial as Ray Tune runs it: step by step through its epochs, the last step brings the trial's rows."""

import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from typing import Any

import torch
from ray import tune
from ray.tune.result import DONE

from aia_models.config import ComputeConfig
from study.trial.plan import TrialPlan
from study.trial.rows import Outcome
from study.trial.run import EpochReport, Interrupted, NoStorage, TrialContext, run_trial
from study.tune.searcher import EPOCH, JOINT_EPOCH, NO_STORAGE, OUTCOME, PLAN, RECORDS, SO_FAR

STEP_SECONDS = 1.0


class AIATrainable(tune.Trainable):
    """Runs one plan after the other in the same process: libraries and faces are loaded once per worker."""

    def setup(self, config: dict[str, Any], context: TrialContext | None = None) -> None:  # type: ignore[override]
        """Loads the faces, once, and starts the config's plan."""
        assert context is not None
        self._context = context
        self._logged = bool(context.spec.loggers)
        self._load_faces = cache(context.faces)
        self._start(config)

    def step(self) -> dict[str, Any]:
        """An epoch, or as many as end within `STEP_SECONDS`, up to a judged one; the last step holds the outcome.

        A round trip to the driver takes milliseconds: epochs that take no longer would wait for it half of their time.
        """
        ends = time.monotonic() + STEP_SECONDS
        records: list[dict[str, Any]] = []
        for report in self._progress:
            match report:
                case EpochReport(record, joint_epoch, so_far):
                    result: dict[str, Any] = {EPOCH: record.epoch, JOINT_EPOCH: joint_epoch}
                    if self._logged:
                        records.append(asdict(record))
                        result[RECORDS] = records
                    if so_far:
                        return result | {SO_FAR: so_far.to_json()}
                    if time.monotonic() >= ends:
                        return result
                case Outcome() as outcome:
                    return {OUTCOME: outcome.to_json(), DONE: True}
                case NoStorage(reason):
                    return {NO_STORAGE: reason, DONE: True}
        raise RuntimeError("a trial ended without an outcome")

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Takes the next plan in the same process."""
        self._start(new_config)
        return True

    def cleanup(self) -> None:
        """Ray Tune: this process is to end. A trial under way is saved as it stands, for the next one."""
        with suppress(Interrupted, StopIteration):  # one that has not begun, or is over, passes it on
            self._progress.throw(Interrupted())

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing: trials save themselves, and leave a checkpoint when they are final."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Nothing: see `save_checkpoint`."""

    def _start(self, config: Mapping[str, Any]) -> None:
        plan = TrialPlan.from_json(config[PLAN])
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
