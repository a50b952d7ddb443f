"""What search trials were like on their way, where they were judged before their last epoch."""

from collections.abc import Sequence

import polars as pl

from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

WENT_ON, STOPPED, ENDED = "went on", "stopped there", "trained to the end"


def judged_on_the_way(
    trials: pl.DataFrame, epochs: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> pl.DataFrame:
    """Return a row per search trial and epoch at which it was judged, by trial and epoch.

    Columns: `trial_id`, `joint_epoch` (counted from 1 in joint training), the objectives and `fate`, one of WENT_ON,
    STOPPED and ENDED. A trial that failed or diverged later went on.
    """
    search = trials.filter(pl.col("phase") == "search").select("trial_id", "status")
    joint = epochs.filter(pl.col("stage") == "joint").with_columns(
        joint_epoch=pl.col("epoch") - pl.col("epoch").min().over("trial_id") + 1
    )
    known = pl.all_horizontal(*(pl.col(objective.column).is_finite() for objective in objectives))
    rows = joint.filter(known).join(search, on="trial_id").sort("trial_id", "joint_epoch")
    last = pl.col("joint_epoch") == pl.col("joint_epoch").max().over("trial_id")
    fate = (
        pl.when(last & (pl.col("status") == "stopped_early"))
        .then(pl.lit(STOPPED))
        .when(last & (pl.col("status") == "complete"))
        .then(pl.lit(ENDED))
        .otherwise(pl.lit(WENT_ON))
    )
    return rows.select("trial_id", "joint_epoch", *(one.column for one in objectives), fate=fate)


def rung_counts(judged: pl.DataFrame) -> pl.DataFrame:
    """Return, for each `joint_epoch` that is not the end of all that reached it, `reached` and `went_on`, in order."""
    counts = judged.group_by("joint_epoch").agg(
        reached=pl.len(),
        went_on=(pl.col("fate") == WENT_ON).sum(),
        ended=(pl.col("fate") == ENDED).sum(),
    )
    return counts.filter(pl.col("ended") < pl.col("reached")).drop("ended").sort("joint_epoch")
