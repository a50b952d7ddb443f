"""Removes checkpoints of search trials that can no longer be on a front."""

import math
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from study.search.halving import constrained_costs
from study.spec.constraints import row_violation
from study.spec.spec import StudySpec
from study.storage.paths import CHECKPOINTS
from study.storage.study_storage import StudyStorage


class CheckpointPruner:
    """Removes the checkpoints of search trials that nobody needs, while trials are recorded.

    Checkpoints on the front stay, with the search's constraints and without them, and so do those of the
    `checkpoints_behind_front` trials that the fewest others dominate, and of designs that were confirmed. Baselines and
    confirmation trials keep theirs. A dominated trial stays dominated, so no later front needs a removed checkpoint,
    whatever the order of the rows. `recorded` are the `trials` rows of earlier runs.
    """

    def __init__(self, storage: StudyStorage, spec: StudySpec, recorded: Iterable[Mapping[str, Any]]) -> None:
        self._storage = storage
        self._objectives = spec.search_objectives
        self._constraints = spec.search_constraints
        self._keeps_all = spec.checkpoints_behind_front == "all"
        self._max_behind = 0 if spec.checkpoints_behind_front == "all" else spec.checkpoints_behind_front
        self._rows: dict[str, Mapping[str, Any]] = {}  # of search trials that have a checkpoint, by trial id
        self._confirmed_designs: set[str] = set()
        confirmations_first = sorted(recorded, key=lambda row: (row["phase"] != "confirm", row["trial_id"]))
        existing = {f"{CHECKPOINTS}/{name}" for name in storage.list_folder(CHECKPOINTS)}
        for row in confirmations_first:
            self._add(row, existing)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in the `trials` row of a recorded trial, and remove the checkpoints that its arrival makes unnecessary.

        That can be the checkpoint of the trial itself.
        """
        self._add(row, {row.get("checkpoint")})

    def _add(self, row: Mapping[str, Any], existing: Container[str | None]) -> None:
        if row["phase"] == "confirm":
            self._confirmed_designs.add(row["design_id"])
        is_prunable = row["phase"] == "search" and row["status"] == "complete" and not self._keeps_all
        checkpoint = row["checkpoint"] if is_prunable else None
        if checkpoint is None or checkpoint not in existing:
            return
        if all(_is_finite(row.get(objective.column)) for objective in self._objectives):
            self._rows[row["trial_id"]] = row
            for trial_id in self._unneeded_trials():
                self._remove_checkpoint(self._rows.pop(trial_id))
        else:
            self._remove_checkpoint(row)

    def _remove_checkpoint(self, row: Mapping[str, Any]) -> None:
        with suppress(OSError):  # the next run of the study removes it
            self._storage.remove(row["checkpoint"])

    def _unneeded_trials(self) -> list[str]:
        trial_ids = list(self._rows)
        costs = np.array([self._costs(row) for row in self._rows.values()])
        with_constraints = np.array(
            [
                constrained_costs(own, self._violation(row))
                for own, row in zip(costs, self._rows.values(), strict=True)
            ]
        )
        # Users ask for the front with the search's constraints and for the front without them.
        free, constrained = count_dominators(costs), count_dominators(with_constraints)
        behind = sorted(
            (int(constrained[n]), int(free[n]), trial_ids[n])
            for n in np.flatnonzero((free > 0) & (constrained > 0))
        )
        confirmed = {
            trial_id for trial_id, row in self._rows.items() if row["design_id"] in self._confirmed_designs
        }
        return [trial_id for *_, trial_id in behind[self._max_behind :] if trial_id not in confirmed]

    def _costs(self, row: Mapping[str, Any]) -> list[float]:
        return [objective.sign * row[objective.column] for objective in self._objectives]

    def _violation(self, row: Mapping[str, Any]) -> float:
        violation = row_violation(self._constraints, row)
        return math.inf if violation is None else violation


def count_dominators(costs: np.ndarray) -> np.ndarray:
    """Return how many rows of `costs` `[n, objective]` dominate each row: no worse in all objectives, better in one."""
    no_worse = (costs[:, None] <= costs[None]).all(-1)
    better = (costs[:, None] < costs[None]).any(-1)
    return (no_worse & better).sum(0)


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
