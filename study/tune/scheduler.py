"""Early stopping with several objectives as Ray Tune's scheduler: each rung by `study.halving`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from analysis.tables.objectives import Objective
from study.search.halving import Rungs, constrained_costs
from study.spec.constraints import Constraint, row_violation
from study.spec.sections import EarlyStopping
from study.trial.plan import TrialPlan
from study.trial.rows import Outcome
from study.tune.searcher import JOINT_EPOCH, PLAN, SO_FAR


class MultiObjectiveHalving(FIFOScheduler):
    """Stops a search trial that is not among the best `1 / reduction_factor` of those that reached its rung so far.

    Rungs lie after `grace_epochs` joint epochs times powers of `reduction_factor`, below `max_epochs`; results need
    the `objectives`' columns there. A trial that violates `constraints` stands behind all that do not, and one that
    lacks a constrained figure behind all. `recorded` are (joint epoch, hyperparameters and figures) of trials of
    earlier runs; those without a constrained figure are left out.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        grace_epochs: int,
        reduction_factor: float,
        max_epochs: int,
        constraints: tuple[Constraint, ...] = (),
        recorded: Iterable[tuple[int, Mapping[str, Any]]] = (),
    ) -> None:
        super().__init__()
        self._objectives = objectives
        self._constraints = constraints
        self._compared: set[tuple[str, int]] = set()
        reference = np.array([objective.worst_cost for objective in objectives])
        rule = EarlyStopping(rule="mo_asha", grace_epochs=grace_epochs, reduction_factor=reduction_factor)
        self._rungs = Rungs(rule.rungs(max_epochs), reduction_factor, reference)
        for epoch, row in recorded:
            if epoch in self._rungs.epochs and row_violation(constraints, row) is not None:
                self._rungs.add(epoch, self._costs(row))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict) -> str:
        """CONTINUE, or STOP for a search trial that falls behind at a rung."""
        epoch = result.get(JOINT_EPOCH, 0)
        is_rung = epoch in self._rungs.epochs and SO_FAR in result
        plan = TrialPlan.from_json(trial.config[PLAN])
        # One whose worker died reports a rung again, as its next process finds it.
        if not is_rung or plan.optuna_number is None or (plan.trial_id, epoch) in self._compared:
            return TrialScheduler.CONTINUE
        self._compared.add((plan.trial_id, epoch))
        survives = self._rungs.promotes(epoch, self._costs(Outcome.from_json(result[SO_FAR]).trial))
        return TrialScheduler.CONTINUE if survives else TrialScheduler.STOP

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its scheduler into a snapshot that no resume reads."""
        return {}

    def _costs(self, row: Mapping[str, Any]) -> np.ndarray:
        costs = np.array([row[objective.column] * objective.sign for objective in self._objectives])
        violation = row_violation(self._constraints, row)
        return constrained_costs(costs, np.inf if violation is None else violation)
