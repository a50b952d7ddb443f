"""What trials cost: the epochs and the seconds that each of them spent itself."""

import polars as pl


def with_costs(trials: pl.DataFrame, epochs: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a `trials` frame, in their order, with `epochs_spent` and `seconds_spent`.

    Epochs of a stage 1 that was there already were trained elsewhere and are not counted. Seconds run from the trial's
    start to its end, less what it waited for another's stage 1. Both are 0 where nothing was recorded.
    """
    reused = trials.filter(pl.col("stage1_reused").fill_null(False))["trial_id"].to_list()
    own = epochs.filter((pl.col("stage") == "joint") | ~pl.col("trial_id").is_in(reused))
    spent = own.group_by("trial_id").agg(epochs_spent=pl.len().cast(pl.Int64))
    waited = pl.col("stage1_wait_seconds").fill_null(0.0)
    return trials.join(spent, on="trial_id", how="left", maintain_order="left").with_columns(
        pl.col("epochs_spent").fill_null(0),
        seconds_spent=(pl.col("wall_seconds") - waited).clip(lower_bound=0.0).fill_null(0.0),
    )
