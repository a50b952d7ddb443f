"""From limits and wishes to the one checkpoint to ship, and what it stands against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import candidates, require_objectives
from analysis.fronts.pareto import costs_of, is_nondominated
from analysis.tables.objectives import ATTACKER, MATCHING


@dataclass(frozen=True)
class SelectionCriteria:
    """What the checkpoint has to be: within the limits that are given, and there the best by one preference.

    `knee` asks for the front's bend: the design nearest to the best of both objectives, each scaled by the range of the
    front without limits. `weights` (of attacker and matching AUC, not negative) ask for the least weighted sum of
    attacker AUC less matching AUC. Without either it is the highest matching AUC, or, where only matching is limited,
    the lowest attacker AUC. AnalysisError where nothing is asked for, or both, or a limit is no AUC.
    """

    max_attacker_auc: float | None = None
    min_matching_auc: float | None = None
    knee: bool = False
    weights: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        limits = {"max_attacker_auc": self.max_attacker_auc, "min_matching_auc": self.min_matching_auc}
        for name, limit in limits.items():
            if limit is not None and not 0.5 <= limit <= 1.0:
                raise AnalysisError(f"{name} = {limit}: expected an AUC from 0.5 (chance) to 1.0")
        if self.knee and self.weights is not None:
            raise AnalysisError("knee and weights are two preferences: give one")
        if self.weights is not None and not (min(self.weights) >= 0 and 0 < sum(self.weights) < float("inf")):
            raise AnalysisError(f"weights = {self.weights}: expected two numbers of at least 0, not both 0")
        if not (self.limits or self.knee or self.weights is not None):
            raise AnalysisError(
                "nothing to select by: give max_attacker_auc, min_matching_auc, knee or weights"
            )

    @property
    def preference(self) -> str:
        """In words, what is best within the limits."""
        if self.knee:
            return "the knee of the front"
        if self.weights is not None:
            attacker, matching = self.weights
            return f"the least {attacker:g} x attacker AUC - {matching:g} x matching AUC"
        return "the lowest attacker AUC" if self._prefers_privacy else "the highest matching AUC"

    @property
    def limits(self) -> str:
        """In words, the limits; empty where there are none."""
        parts = []
        if self.max_attacker_auc is not None:
            parts.append(f"attacker AUC <= {self.max_attacker_auc:g}")
        if self.min_matching_auc is not None:
            parts.append(f"matching AUC >= {self.min_matching_auc:g}")
        return " and ".join(parts)

    def within(self) -> pl.Expr:
        """A filter: rows within the limits."""
        highest, lowest = self.max_attacker_auc or 1.0, self.min_matching_auc or 0.0
        return (pl.col(ATTACKER.column) <= highest) & (pl.col(MATCHING.column) >= lowest)

    def beyond(self) -> pl.Expr:
        """How far a row is beyond the limits, in AUC."""
        highest, lowest = self.max_attacker_auc or 1.0, self.min_matching_auc or 0.0
        over = (pl.col(ATTACKER.column) - highest).clip(0), (lowest - pl.col(MATCHING.column)).clip(0)
        return pl.sum_horizontal(over)

    def ordered(self, rows: pl.DataFrame) -> pl.DataFrame:
        """All `rows`, the preferred first; ties go to the lower attacker AUC, then to the lower trial id."""
        attacker, matching = pl.col(ATTACKER.column), pl.col(MATCHING.column)
        if self.knee:
            front = rows.filter(pl.Series(is_nondominated(costs_of(rows)), dtype=pl.Boolean))
            score = _from_best(front, ATTACKER.column, 1) + _from_best(front, MATCHING.column, -1)
            front_first = ~pl.col("trial_id").is_in(front["trial_id"].to_list())
            return rows.sort(front_first, score, attacker, -matching, "trial_id")
        if self.weights is not None:
            score = self.weights[0] * attacker - self.weights[1] * matching
            return rows.sort(score, attacker, -matching, "trial_id")
        if self._prefers_privacy:
            return rows.sort(attacker, -matching, "trial_id")
        return rows.sort(-matching, attacker, "trial_id")

    @property
    def _prefers_privacy(self) -> bool:
        return self.max_attacker_auc is None and self.min_matching_auc is not None


@dataclass(frozen=True)
class Selection:
    """The trial to ship: its row of `trials` with `source` ("search" or "confirm") and `seeds`: from "confirm" the
    figures are means over that many fresh seeds.

    `next_best` is the trial of another design that would come next (None: there is none), `unlimited` the one that
    would be chosen without the limits (None where that is the same trial): what they cost.
    """

    wish: SelectionCriteria
    trial: Mapping[str, Any]
    next_best: Mapping[str, Any] | None
    unlimited: Mapping[str, Any] | None

    @property
    def checkpoint(self) -> str:
        """Folder of the weights, relative to the study directory."""
        return self.trial["checkpoint"]


def select(frame: pl.DataFrame, wish: SelectionCriteria, where: str = "trials") -> Selection:
    """Return what `wish` asks for among the judged trials with a checkpoint, by their validation figures.

    AnalysisError names the nearest where nothing is within the limits, and says `where` no trial was judged.
    """
    require_objectives(frame, where)
    judged = candidates(frame)
    kept = judged.filter(pl.col("checkpoint").is_not_null())
    if kept.is_empty():
        raise AnalysisError(
            f"none of {judged.height} judged trials ({frame.height} in all) has a checkpoint; expected one"
        )
    preferred = wish.ordered(kept)
    within = preferred.filter(wish.within())
    if within.is_empty():
        nearest = kept.sort(wish.beyond(), ATTACKER.column, "trial_id").row(0, named=True)
        raise AnalysisError(
            f"no checkpoint has {wish.limits}: the nearest is trial {nearest['trial_id']} with attacker AUC"
            f" {nearest[ATTACKER.column]:.6g} and matching AUC {nearest[MATCHING.column]:.6g}; widen a limit or"
            " search on"
        )
    trial, unlimited = within.row(0, named=True), preferred.row(0, named=True)
    others = within.filter(pl.col("design_id") != trial["design_id"])
    return Selection(
        wish,
        trial,
        next_best=None if others.is_empty() else others.row(0, named=True),
        unlimited=None if unlimited["trial_id"] == trial["trial_id"] else unlimited,
    )


def _from_best(front: pl.DataFrame, column: str, sign: int) -> pl.Expr:
    """How far a row is from the front's best figure, in units of the front's range."""
    costs = front[column] * sign
    best, worst = costs.min(), costs.max()
    return (pl.col(column) * sign - best) / max(worst - best, 1e-12)  # type: ignore[operator]
