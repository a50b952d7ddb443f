"""What a frontier picture shows, as frames: trials, front, baselines and the part of the plane in view."""

from dataclasses import dataclass

import polars as pl

from analysis.fronts.candidates import judged
from analysis.fronts.pareto import pareto_front
from analysis.fronts.staircase import X, Y, staircase

PADDING = 0.06  # of the extent of what is shown, on each side
MIN_EXTENT = 0.04  # AUC: a single trial still gets readable axes


@dataclass(frozen=True)
class View:
    """The stretch of one axis that is in view, in AUC."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value is in view."""
        return self.low <= value <= self.high

    def widened(self, values: pl.Series) -> "View":
        """The stretch that holds the values as well."""
        found = values.to_list()
        return View(min(self.low, *found), max(self.high, *found))


@dataclass(frozen=True)
class Frontier:
    """The frames of one picture, all with the objectives' columns X and Y.

    `complete` and `stopped` are the search trials off the front. `x_bars` and `y_bars` hold the front's
    points that have an interval of X or Y, with its bounds `low` and `high`.
    """

    stopped: pl.DataFrame
    complete: pl.DataFrame
    front: pl.DataFrame
    x_bars: pl.DataFrame
    y_bars: pl.DataFrame
    baselines: pl.DataFrame
    x: View
    y: View

    @property
    def confirmed(self) -> bool:
        """Whether the front's figures are means over fresh seeds."""
        return self.front["source"][0] == "confirm"

    @property
    def staircase(self) -> pl.DataFrame:
        """Corners of the best matching within each limit on the attacker, from edge to edge of the view."""
        return staircase(self.front, self.y.low, self.x.high)

    @property
    def marks(self) -> pl.DataFrame:
        """Every point that is drawn."""
        return _points([self.stopped, self.complete, self.front, self.baselines])


def frontier(trials: pl.DataFrame) -> Frontier:
    """Return what a picture of a `trials` frame shows; rows without both figures are left out.

    Baselines of one method are averaged over their seeds.
    """
    search = trials.filter(pl.col("phase") == "search", pl.col(X).is_finite(), pl.col(Y).is_finite())
    front = pareto_front(trials)
    off_front = search.join(front, on="trial_id", how="anti")
    references = trials.filter(pl.col("phase") == "baseline", judged())
    baselines = references.group_by("method").agg(pl.col(X, Y).mean()).sort("method")
    shown = _points([search, front, baselines])
    x_bars, y_bars = _bars(front, X), _bars(front, Y)
    return Frontier(
        stopped=off_front.filter(pl.col("status") == "stopped_early"),
        complete=off_front.filter(pl.col("status") == "complete"),
        front=front,
        x_bars=x_bars,
        y_bars=y_bars,
        baselines=baselines,
        x=view_of([shown[X], x_bars["low"], x_bars["high"]]),
        y=view_of([shown[Y], y_bars["low"], y_bars["high"]]),
    )


def _points(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([rows.select(X, Y) for rows in frames])


def _bars(front: pl.DataFrame, column: str) -> pl.DataFrame:
    bounds = front.select(X, Y, pl.col(f"{column}_low").alias("low"), pl.col(f"{column}_high").alias("high"))
    return bounds.filter(pl.col("low").is_finite(), pl.col("high").is_finite())


def view_of(shown: list[pl.Series]) -> View:
    """The stretch that holds all values, with a margin."""
    values = pl.concat([series.rename("value") for series in shown]).to_numpy()
    low, high = float(values.min()), float(values.max())
    margin = max((high - low) * PADDING, (MIN_EXTENT - (high - low)) / 2)
    return View(low - margin, high + margin)
