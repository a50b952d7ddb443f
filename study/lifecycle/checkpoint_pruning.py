"""Which checkpoints of a search are kept: those on its front, of the best few behind it, and of confirmed designs."""

import math
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from study.search.halving import constrained
from study.spec.constraints import row_violation
from study.spec.spec import StudySpec
from study.storage.paths import CHECKPOINTS
from study.storage.study_storage import StudyStorage


class KeptCheckpoints:
    """Removes those that nobody needs any more, as trials are recorded. Baselines and trials that confirm keep theirs.

    `recorded` are the `trials` rows of earlier runs. What once lay behind better trials lies behind them for ever:
    nothing that went is missed later, and the order of rows does not matter to what a front needs.
    """

    def __init__(self, place: StudyStorage, spec: StudySpec, recorded: Iterable[Mapping[str, Any]]) -> None:
        self._place = place
        self._objectives = spec.search_objectives
        self._constraints = spec.search_constraints
        self._all = spec.checkpoints_behind_front == "all"
        self._behind = 0 if spec.checkpoints_behind_front == "all" else spec.checkpoints_behind_front
        self._kept: dict[str, Mapping[str, Any]] = {}
        self._confirmed: set[str] = set()
        rows = sorted(recorded, key=lambda row: (row["phase"] != "confirm", row["trial_id"]))
        there = {f"{CHECKPOINTS}/{name}" for name in place.list_folder(CHECKPOINTS)}
        for row in rows:
            self._add(row, there)

    def add(self, row: Mapping[str, Any]) -> None:
        """A trial whose rows are written; checkpoints that it pushed out, its own perhaps, are removed."""
        self._add(row, {row.get("checkpoint")})

    def _add(self, row: Mapping[str, Any], there: Container[str | None]) -> None:
        if row["phase"] == "confirm":
            self._confirmed.add(row["design_id"])
        counted = row["phase"] == "search" and row["status"] == "complete" and not self._all
        checkpoint = row["checkpoint"] if counted else None
        if checkpoint is None or checkpoint not in there:
            return
        if all(_finite(row.get(objective.column)) for objective in self._objectives):
            self._kept[row["trial_id"]] = row
            for pushed_out in self._pushed_out():
                self._remove(self._kept.pop(pushed_out))
        else:
            self._remove(row)

    def _remove(self, row: Mapping[str, Any]) -> None:
        """What storage does not let go of is for the next run."""
        with suppress(OSError):
            self._place.remove(row["checkpoint"])

    def _pushed_out(self) -> list[str]:
        trial_ids = list(self._kept)
        costs = np.array([self._costs(row) for row in self._kept.values()])
        within = np.array(
            [
                constrained(own, self._violation(row))
                for own, row in zip(costs, self._kept.values(), strict=True)
            ]
        )
        # A front is asked for with the search's constraints and without them.
        free, bound = dominators(costs), dominators(within)
        behind = sorted(
            (int(bound[n]), int(free[n]), trial_ids[n]) for n in np.flatnonzero((free > 0) & (bound > 0))
        )
        confirmed = {trial_id for trial_id, row in self._kept.items() if row["design_id"] in self._confirmed}
        return [trial_id for *_, trial_id in behind[self._behind :] if trial_id not in confirmed]

    def _costs(self, row: Mapping[str, Any]) -> list[float]:
        return [objective.sign * row[objective.column] for objective in self._objectives]

    def _violation(self, row: Mapping[str, Any]) -> float:
        violation = row_violation(self._constraints, row)
        return math.inf if violation is None else violation


def dominators(costs: np.ndarray) -> np.ndarray:
    """How many of the rows `[n, objective]` dominate each: none worse, and one better."""
    no_worse = (costs[:, None] <= costs[None]).all(-1)
    better = (costs[:, None] < costs[None]).any(-1)
    return (no_worse & better).sum(0)


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
