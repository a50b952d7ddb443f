"""Selects the checkpoint to ship: the best judged trial within given limits, and the alternatives to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import candidates, require_objectives
from analysis.fronts.pareto import costs_of, is_nondominated
from analysis.tables.beside import LINKED
from analysis.tables.objectives import ATTACKER, MATCHING

LINKED_AUC = LINKED.column("validation")


@dataclass(frozen=True)
class SelectionCriteria:
    """Limits on the AUCs of a checkpoint, and the preference that chooses among those within the limits.

    `max_attacker_auc`, `max_linked_attacker_auc` and `min_matching_auc` are limits from 0.5 to 1 that a checkpoint may
    reach but not pass; None is no limit. A checkpoint without a linked attacker AUC is not within a limit on it. The
    preference is one of four. `knee` prefers the design with the smallest sum of distances to the best attacker AUC and
    to the best matching AUC of the front, each in units of its range on the front without limits. `weights` (attacker,
    matching; at least 0, not both 0) prefer the smallest weights[0] x attacker AUC - weights[1] x matching AUC. With
    neither, the highest matching AUC is preferred, or, if only matching is limited, the lowest attacker AUC.

    Raises AnalysisError if there is neither limit nor preference, if both preferences are given, or if a number is
    out of its range.
    """

    max_attacker_auc: float | None = None
    min_matching_auc: float | None = None
    max_linked_attacker_auc: float | None = None
    knee: bool = False
    weights: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        names = ("max_attacker_auc", "max_linked_attacker_auc", "min_matching_auc")
        for name, limit in ((name, getattr(self, name)) for name in names):
            if limit is not None and not 0.5 <= limit <= 1.0:
                raise AnalysisError(f"{name} = {limit}: expected an AUC from 0.5 (chance) to 1.0")
        if self.knee and self.weights is not None:
            raise AnalysisError("knee and weights are two preferences: give one of them")
        if self.weights is not None and not (min(self.weights) >= 0 and 0 < sum(self.weights) < float("inf")):
            raise AnalysisError(f"weights = {self.weights}: expected two numbers of at least 0, not both 0")
        if not (self.limits or self.knee or self.weights is not None):
            raise AnalysisError(
                "nothing to select by: give at least one of max_attacker_auc, max_linked_attacker_auc,"
                " min_matching_auc, knee and weights"
            )

    @property
    def preference(self) -> str:
        """The preference in words, for example "the highest matching AUC"."""
        if self.knee:
            return "the knee of the front"
        if self.weights is not None:
            attacker, matching = self.weights
            return f"the least {attacker:g} x attacker AUC - {matching:g} x matching AUC"
        return "the lowest attacker AUC" if self._prefers_privacy else "the highest matching AUC"

    @property
    def limits(self) -> str:
        """The limits in words, for example "attacker AUC <= 0.6"; empty if there are none."""
        parts = []
        if self.max_attacker_auc is not None:
            parts.append(f"attacker AUC <= {self.max_attacker_auc:g}")
        if self.max_linked_attacker_auc is not None:
            parts.append(f"linked attacker AUC <= {self.max_linked_attacker_auc:g}")
        if self.min_matching_auc is not None:
            parts.append(f"matching AUC >= {self.min_matching_auc:g}")
        return " and ".join(parts)

    def meets_limits(self) -> pl.Expr:
        """Return a filter for rows of `trials` within the limits."""
        return self.limit_violation() == 0

    def limit_violation(self) -> pl.Expr:
        """Return an expression for how far a row of `trials` is beyond the limits, summed over them, in AUC.

        It is infinite for a row that lacks a limited figure.
        """
        limits = (
            (ATTACKER.column, self.max_attacker_auc, 1),
            (LINKED_AUC, self.max_linked_attacker_auc, 1),
            (MATCHING.column, self.min_matching_auc, -1),
        )
        beyond = [
            (sign * (pl.col(column) - limit)).clip(0).fill_null(float("inf"))
            for column, limit, sign in limits
            if limit is not None
        ]
        return pl.sum_horizontal(pl.lit(0.0), *beyond)

    def ranked(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return all `rows` of `trials`, the preferred first; ties go to the lower attacker AUC, then to the trial
        id."""
        attacker, matching = pl.col(ATTACKER.column), pl.col(MATCHING.column)
        if self.knee:
            front = rows.filter(pl.Series(is_nondominated(costs_of(rows)), dtype=pl.Boolean))
            score = _distance_to_best(front, ATTACKER.column, 1) + _distance_to_best(
                front, MATCHING.column, -1
            )
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
        limits_privacy = self.max_attacker_auc is not None or self.max_linked_attacker_auc is not None
        return self.min_matching_auc is not None and not limits_privacy


@dataclass(frozen=True)
class Selection:
    """The trial whose checkpoint is to be shipped, and the alternatives to it; trials are rows of `trials` by column
    name.

    `trial` also has `source` ("search" or "confirm") and `seeds`: with "confirm" its figures are means over that many
    fresh seeds. `next_best` is the best trial of another design within the limits, None if there is none. `unlimited`
    is the trial that would be chosen without the limits, None if that is the same one: it shows what the limits cost.
    """

    criteria: SelectionCriteria
    trial: Mapping[str, Any]
    next_best: Mapping[str, Any] | None
    unlimited: Mapping[str, Any] | None

    @property
    def checkpoint(self) -> str:
        """Folder of the trial's checkpoint, relative to the study directory."""
        return self.trial["checkpoint"]


def select(frame: pl.DataFrame, criteria: SelectionCriteria, where: str = "trials") -> Selection:
    """Return the trial of a `trials` frame that meets `criteria` best, by the validation figures of judged trials.

    Only trials that kept a checkpoint compete. Raises AnalysisError if no trial is judged or has a checkpoint, and if
    none is within the limits: the message then names the nearest trial. `where` (a directory) begins the message.
    """
    require_objectives(frame, where)
    judged = candidates(frame)
    with_checkpoint = judged.filter(pl.col("checkpoint").is_not_null())
    if with_checkpoint.is_empty():
        raise AnalysisError(
            f"none of {judged.height} judged trials ({frame.height} in all) has a checkpoint; expected at least one"
        )
    preferred = criteria.ranked(with_checkpoint)
    within = preferred.filter(criteria.meets_limits())
    if within.is_empty():
        nearest = with_checkpoint.sort(criteria.limit_violation(), ATTACKER.column, "trial_id").row(
            0, named=True
        )
        raise AnalysisError(
            f"no checkpoint has {criteria.limits}: the nearest is trial {nearest['trial_id']} with"
            f" {_figures(nearest, criteria)}; widen a limit or run more search trials"
        )
    trial, unlimited = within.row(0, named=True), preferred.row(0, named=True)
    others = within.filter(pl.col("design_id") != trial["design_id"])
    return Selection(
        criteria,
        trial,
        next_best=None if others.is_empty() else others.row(0, named=True),
        unlimited=None if unlimited["trial_id"] == trial["trial_id"] else unlimited,
    )


def _figures(row: Mapping[str, Any], criteria: SelectionCriteria) -> str:
    """Return the figures of a row of `trials` that limits are about, in words."""
    linked = ""
    if criteria.max_linked_attacker_auc is not None:
        value = row[LINKED_AUC]
        linked = f", linked attacker AUC {'unknown' if value is None else f'{value:.6g}'}"
    return f"attacker AUC {row[ATTACKER.column]:.6g}{linked} and matching AUC {row[MATCHING.column]:.6g}"


def _distance_to_best(front: pl.DataFrame, column: str, sign: int) -> pl.Expr:
    """Return how far a row is from the front's best figure, in units of the front's range."""
    costs = front[column] * sign
    best, worst = costs.min(), costs.max()
    return (pl.col(column) * sign - best) / max(worst - best, 1e-12)  # type: ignore[operator]
