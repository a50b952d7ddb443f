"""From a privacy limit to the one checkpoint to ship."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.candidates import candidates
from analysis.errors import AnalysisError
from study.objectives import ATTACKER, MATCHING


@dataclass(frozen=True)
class Selection:
    """The most useful trial within a privacy limit.

    `trial` is its row of `trials` with `source` ("search" or "confirm") and `seeds`: from "confirm" the
    figures are means over that many fresh seeds.
    """

    max_attacker_auc: float
    trial: Mapping[str, Any]

    @property
    def checkpoint(self) -> str:
        """Folder of the weights, relative to the study directory."""
        return self.trial["checkpoint"]


def select(frame: pl.DataFrame, max_attacker_auc: float) -> Selection:
    """Return the trial with the best validation matching among those with a checkpoint and within the limit.

    Ties go to the lower attacker AUC. Where nothing meets the limit, AnalysisError names the nearest.
    """
    if not 0.5 <= max_attacker_auc <= 1.0:
        raise AnalysisError(
            f"max_attacker_auc = {max_attacker_auc}: expected an AUC from 0.5 (perfect privacy) to 1.0"
        )
    judged = candidates(frame)
    kept = judged.filter(pl.col("checkpoint").is_not_null())
    if kept.is_empty():
        raise AnalysisError(
            f"none of {judged.height} judged trials ({frame.height} in all) has a checkpoint; expected one"
        )
    within = kept.filter(pl.col(ATTACKER.column) <= max_attacker_auc)
    if within.is_empty():
        nearest = kept.sort(ATTACKER.column, -pl.col(MATCHING.column), "trial_id").row(0, named=True)
        raise AnalysisError(
            f"no checkpoint has {ATTACKER.column} <= {max_attacker_auc:g}: the nearest is trial"
            f" {nearest['trial_id']} at {nearest[ATTACKER.column]:.6g}; raise the limit or search on"
        )
    best = within.sort(-pl.col(MATCHING.column), ATTACKER.column, "trial_id")
    return Selection(max_attacker_auc, best.row(0, named=True))
