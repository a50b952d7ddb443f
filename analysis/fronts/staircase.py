"""What a set of designs attains: the line between what is reached and what is not."""

import polars as pl

from analysis.tables.objectives import ATTACKER, MATCHING

X, Y = ATTACKER.column, MATCHING.column


def staircase(front: pl.DataFrame, floor: float, right: float) -> pl.DataFrame:
    """Return the corners (X, Y) of the best matching within each limit on the attacker, from `floor` up to `right`.

    `front` holds non-dominated points by rising X. A limit between two of them allows only the matching of the left
    one: the line runs right, then up.
    """
    steps = front.select(X, Y)
    treads = steps.with_columns(pl.col(Y).shift(1, fill_value=floor))
    corners = pl.concat([treads.with_row_index("step"), steps.with_row_index("step")]).sort("step", Y)
    end = steps.tail(1).with_columns(pl.lit(right).alias(X))
    return pl.concat([corners.select(X, Y), end])
