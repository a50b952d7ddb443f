"""Early stopping with several objectives as Ray Tune's scheduler: each rung by `study.halving`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from study.halving import Rungs, rungs
from study.objectives import Objective
from study.outcome import Outcome
from study.plan import TrialPlan
from study.searcher import JOINT_EPOCH, PLAN, SO_FAR


class MultiObjectiveHalving(FIFOScheduler):
    """Stops a search trial that is not among the best `1 / reduction_factor` of those that reached its rung so far.

    Rungs lie after `grace_epochs` joint epochs times powers of `reduction_factor`, below `max_epochs`; results need
    the `objectives`' columns there. `recorded` are (joint epoch, figures) of trials of earlier runs.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        grace_epochs: int,
        reduction_factor: float,
        max_epochs: int,
        recorded: Iterable[tuple[int, Mapping[str, Any]]] = (),
    ) -> None:
        super().__init__()
        self._objectives = objectives
        reference = np.array([objective.worst_cost for objective in objectives])
        self._rungs = Rungs(rungs(grace_epochs, reduction_factor, max_epochs), reduction_factor, reference)
        for epoch, figures in recorded:
            if epoch in self._rungs.epochs:
                self._rungs.add(epoch, self._costs(figures))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict) -> str:
        """CONTINUE, or STOP for a search trial that falls behind at a rung."""
        epoch = result.get(JOINT_EPOCH, 0)
        is_rung = epoch in self._rungs.epochs and SO_FAR in result
        if not is_rung or TrialPlan.from_json(trial.config[PLAN]).number is None:
            return TrialScheduler.CONTINUE
        survives = self._rungs.goes_on(epoch, self._costs(Outcome.from_json(result[SO_FAR]).trial))
        return TrialScheduler.CONTINUE if survives else TrialScheduler.STOP

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its scheduler into a snapshot that no resume reads."""
        return {}

    def _costs(self, figures: Mapping[str, Any]) -> list[float]:
        return [figures[objective.column] * objective.sign for objective in self._objectives]
