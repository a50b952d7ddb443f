"""Summarises how much each fresh attacker infers from each design of a front and from the baselines."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analysis.fronts.candidates import is_judged
from analysis.fronts.pareto import pareto_front
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

MAX_DESIGNS = 40  # a longer front is thinned out evenly
VANTAGE_SUFFIXES = {
    "train": " (own)",
    "both": " (both)",
    "other": " (other)",
}  # of attackers, by their vantage


def attacker_aucs(
    trials: pl.DataFrame, attacks: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> pl.DataFrame:
    """Return a row per shown design and attacker: `design`, `attacker` and `folded_auc` on validation.

    `trials` and `attacks` are the whole tables of a study. The designs of the front come first, the most private on
    top, at most MAX_DESIGNS of them, then the baselines. `design` is a trial id for a search trial, a design id for a
    confirmed design, and the method for a baseline. AUCs are means over seeds. Only attacks on single releases count,
    each attacker as fitted on the most images; the attacker that is strongest on the front comes first. The name of
    an attacker that was fitted on other people than those of the split `attack` ends in one of VANTAGE_SUFFIXES; with
    several private attributes it begins with the attacked one.
    """
    members = _members(trials, objectives)
    fitted = ["trial_id", "attribute", "attacker", "vantage"]
    largest = attacks.filter(
        pl.col("split") == "validation",
        pl.col("reads") == "single_release",
        pl.col("folded_auc").is_not_null(),
    ).filter(pl.col("train_images") == pl.col("train_images").max().over(fitted))
    several = largest["attribute"].n_unique() > 1
    attribute = pl.col("attribute") + ": " if several else pl.lit("")
    suffix = pl.col("vantage").replace_strict(VANTAGE_SUFFIXES, default="", return_dtype=pl.String)
    named = largest.select(
        "trial_id",
        "folded_auc",
        attacker=attribute + pl.col("attacker").str.replace_all("_", " ") + suffix,
    )
    means = (
        members.join(named, on="trial_id")
        .group_by("place", "design", "attacker", "on_front")
        .agg(pl.col("folded_auc").mean())
        .with_columns(strength=pl.col("folded_auc").filter("on_front").mean().over("attacker"))
    )
    return means.sort("place", -pl.col("strength"), "attacker", nulls_last=True).select(
        "design", "attacker", "folded_auc"
    )


def _members(trials: pl.DataFrame, objectives: Sequence[Objective]) -> pl.DataFrame:
    """Return one row per trial of each shown design: `trial_id`, `design`, its `place` in the order, and `on_front`."""
    front = pareto_front(trials, objectives)
    spread = np.unique(np.linspace(0, front.height - 1, MAX_DESIGNS).round().astype(int))
    shown = front[spread] if front.height > MAX_DESIGNS else front
    confirmed = shown.filter(pl.col("source") == "confirm").select(design="design_id").with_row_index("place")
    searched = shown.filter(pl.col("source") == "search").select(design="trial_id").with_row_index("place")
    complete = trials.filter(is_judged(objectives))
    of_confirmed = complete.filter(pl.col("phase") == "confirm").join(
        confirmed, left_on="design_id", right_on="design"
    )
    of_search = complete.join(searched, left_on="trial_id", right_on="design")
    baselines = complete.filter(pl.col("phase") == "baseline").with_columns(
        place=pl.lit(shown.height, pl.UInt32) + pl.col("method").rank("dense").cast(pl.UInt32)
    )
    return pl.concat(
        [
            of_confirmed.select("trial_id", "place", design="design_id", on_front=pl.lit(True)),
            of_search.select("trial_id", "place", design="trial_id", on_front=pl.lit(True)),
            baselines.select("trial_id", "place", design="method", on_front=pl.lit(False)),
        ]
    )
