"""Early stopping with several objectives as Ray Tune's scheduler; `study.search.halving` decides at each rung."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from analysis.tables.objectives import Objective
from study.search.halving import Rungs, constrained_costs
from study.spec.constraints import Constraint, row_violation
from study.spec.early_stopping import EarlyStopping
from study.tune.searcher import JOINT_EPOCH


class MultiObjectiveHalving(FIFOScheduler):
    """Stops a search trial that is not among the best `1 / reduction_factor` of the trials at its rung so far.

    Rungs are at `grace_epochs` joint epochs times powers of `reduction_factor`, below `max_epochs`. A trial is compared
    where its result holds the columns of the `objectives`. A trial that violates `constraints` ranks behind all trials
    that do not, and a trial without a constrained figure behind all. `recorded` are trials of earlier runs at judged
    epochs, as (joint epoch, hyperparameters and figures); those without a constrained figure are left out.
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
        """Return STOP for a search trial that falls behind at a rung, else CONTINUE."""
        epoch = result.get(JOINT_EPOCH, 0)
        is_judged = all(objective.column in result for objective in self._objectives)
        is_search = "optuna_number" in trial.config
        # A trial whose worker died reports its rungs again from its next worker.
        rung = (trial.config["trial_id"], epoch)
        if epoch not in self._rungs.epochs or not is_judged or not is_search or rung in self._compared:
            return TrialScheduler.CONTINUE
        self._compared.add(rung)
        survives = self._rungs.promotes(epoch, self._costs(trial.config | result))
        return TrialScheduler.CONTINUE if survives else TrialScheduler.STOP

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing to pickle: Tune pickles its scheduler into a snapshot that no resume reads."""
        return {}

    def _costs(self, row: Mapping[str, Any]) -> np.ndarray:
        costs = np.array([row[objective.column] * objective.sign for objective in self._objectives])
        violation = row_violation(self._constraints, row)
        return constrained_costs(costs, np.inf if violation is None else violation)
