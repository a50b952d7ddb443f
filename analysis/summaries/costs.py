"""Computes what each trial cost: the epochs and the seconds that it spent itself."""

import polars as pl


def with_costs(trials: pl.DataFrame, epochs: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `trials`, in their order, with two more columns: `epochs_spent` and `seconds_spent`.

    `epochs` is the study's table of that name. `epochs_spent` (integer) leaves out the epochs of a stage 1 that the
    trial reused from another. `seconds_spent` (float) is the trial's wall time minus the time it waited for the stage
    1 of another trial. Both are 0 where nothing is recorded.
    """
    reused = trials.filter(pl.col("stage1_reused").fill_null(False))["trial_id"].to_list()
    own = epochs.filter((pl.col("stage") == "joint") | ~pl.col("trial_id").is_in(reused))
    spent = own.group_by("trial_id").agg(epochs_spent=pl.len().cast(pl.Int64))
    waited = pl.col("stage1_wait_seconds").fill_null(0.0)
    return trials.join(spent, on="trial_id", how="left", maintain_order="left").with_columns(
        pl.col("epochs_spent").fill_null(0),
        seconds_spent=(pl.col("wall_seconds") - waited).clip(lower_bound=0.0).fill_null(0.0),
    )
