"""Summarises the rungs of early stopping: how search trials were judged during training, and which were stopped."""

from collections.abc import Sequence

import polars as pl

from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

CONTINUED, STOPPED, ENDED = "continued", "stopped early", "trained to the end"


def judgements_by_epoch(
    trials: pl.DataFrame, epochs: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> pl.DataFrame:
    """Return one row per search trial and epoch at which it was judged, sorted by trial and epoch.

    `trials` and `epochs` are the study's tables. Columns: `trial_id`, `joint_epoch` (counted from 1 at the start of
    joint training), one per objective, and `outcome`: STOPPED if early stopping ended the trial there, ENDED if it was
    the last epoch of a complete trial, else CONTINUED, also for a trial that failed or diverged later.
    """
    search = trials.filter(pl.col("phase") == "search").select("trial_id", "status")
    joint = epochs.filter(pl.col("stage") == "joint").with_columns(
        joint_epoch=pl.col("epoch") - pl.col("epoch").min().over("trial_id") + 1
    )
    known = pl.all_horizontal(*(pl.col(objective.column).is_finite() for objective in objectives))
    rows = joint.filter(known).join(search, on="trial_id").sort("trial_id", "joint_epoch")
    last = pl.col("joint_epoch") == pl.col("joint_epoch").max().over("trial_id")
    outcome = (
        pl.when(last & (pl.col("status") == "stopped_early"))
        .then(pl.lit(STOPPED))
        .when(last & (pl.col("status") == "complete"))
        .then(pl.lit(ENDED))
        .otherwise(pl.lit(CONTINUED))
    )
    return rows.select("trial_id", "joint_epoch", *(one.column for one in objectives), outcome=outcome)


def rung_counts(judgements: pl.DataFrame) -> pl.DataFrame:
    """Return one row per rung, in rising order: `joint_epoch`, `reached` and `continued` (numbers of trials).

    `judgements` is what `judgements_by_epoch` returns. A rung is an epoch at which trials were judged, except an epoch
    that was the last one of all of them.
    """
    counts = judgements.group_by("joint_epoch").agg(
        reached=pl.len(),
        continued=(pl.col("outcome") == CONTINUED).sum(),
        ended=(pl.col("outcome") == ENDED).sum(),
    )
    return counts.filter(pl.col("ended") < pl.col("reached")).drop("ended").sort("joint_epoch")
