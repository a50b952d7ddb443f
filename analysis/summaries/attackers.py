"""What each attacker reads from each design of a front, and from the baselines."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analysis.fronts.candidates import judged
from analysis.fronts.pareto import pareto_front
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

MAX_DESIGNS = 40  # of a front that are shown, spread over it
OWN_PEOPLE = (
    " (own)"  # ends the name of an attacker that learned from the people that the anonymizer was trained on
)


def attacked(
    trials: pl.DataFrame, attacks: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> pl.DataFrame:
    """Return a row per shown design and attacker: `design`, `attacker` and `folded_auc` on validation.

    Designs are those of the front, the most private first, then the baselines; of the front at most MAX_DESIGNS, from
    end to end. A search trial is called by its id, a confirmed design by its design_id, a baseline by its method. Over
    seeds the mean is taken. Each attacker counts as it was fitted on the most images, on single releases; the one that
    is strongest on the front comes first. The name of one that learned from the anonymizer's own people ends in
    OWN_PEOPLE, and where there are several private attributes it begins with the one that is attacked.
    """
    members = _members(trials, objectives)
    fitted = ["trial_id", "attribute", "attacker", "vantage"]
    largest = attacks.filter(
        pl.col("split") == "validation", pl.col("releases") == 1, pl.col("folded_auc").is_not_null()
    ).filter(pl.col("train_images") == pl.col("train_images").max().over(fitted))
    several = largest["attribute"].n_unique() > 1
    attribute = pl.col("attribute") + ": " if several else pl.lit("")
    own = pl.when(pl.col("vantage") == "train").then(pl.lit(OWN_PEOPLE)).otherwise(pl.lit(""))
    named = largest.select(
        "trial_id",
        "folded_auc",
        attacker=attribute + pl.col("attacker").str.replace_all("_", " ") + own,
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
    """The trials of each shown design: `trial_id`, `design`, its `place` in their order, and `on_front`."""
    front = pareto_front(trials, objectives)
    spread = np.unique(np.linspace(0, front.height - 1, MAX_DESIGNS).round().astype(int))
    shown = front[spread] if front.height > MAX_DESIGNS else front
    confirmed = shown.filter(pl.col("source") == "confirm").select(design="design_id").with_row_index("place")
    searched = shown.filter(pl.col("source") == "search").select(design="trial_id").with_row_index("place")
    complete = trials.filter(judged(objectives))
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
