"""Turns a front into the staircase that separates what its designs attain from what they do not."""

import polars as pl

from analysis.tables.objectives import ATTACKER, MATCHING

# The columns that every picture of a front has as its horizontal and vertical axis.
ATTACKER_AUC, MATCHING_AUC = ATTACKER.column, MATCHING.column


def staircase(front: pl.DataFrame, floor: float, right: float) -> pl.DataFrame:
    """Return the corners of the line that shows the best matching AUC within each limit on the attacker AUC.

    `front` holds non-dominated points in rising order of attacker AUC. The line starts at the first point's attacker
    AUC and the matching AUC `floor`, and ends at the attacker AUC `right`. Between two points only the left one is
    within the limit, so the line runs right, then up. Columns: ATTACKER_AUC and MATCHING_AUC, one row per corner.
    """
    steps = front.select(ATTACKER_AUC, MATCHING_AUC)
    treads = steps.with_columns(pl.col(MATCHING_AUC).shift(1, fill_value=floor))
    corners = pl.concat([treads.with_row_index("step"), steps.with_row_index("step")]).sort(
        "step", MATCHING_AUC
    )
    end = steps.tail(1).with_columns(pl.lit(right).alias(ATTACKER_AUC))
    return pl.concat([corners.select(ATTACKER_AUC, MATCHING_AUC), end])
