"""Prepares the points of a frontier picture as frames: trials, front, intervals and baselines, and the axes' ranges."""

from dataclasses import dataclass

import polars as pl

from analysis.fronts.candidates import is_judged
from analysis.fronts.pareto import pareto_front
from analysis.fronts.staircase import ATTACKER_AUC, MATCHING_AUC, staircase

PADDING = 0.06  # margin on each side of the points, as a share of their extent
MIN_EXTENT = 0.04  # AUC: a single trial still has readable axes


@dataclass(frozen=True)
class View:
    """The range of one axis of a picture, in AUC."""

    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Return whether the value is inside the range."""
        return self.low <= value <= self.high

    def extended(self, values: pl.Series) -> "View":
        """Return the range, extended just as far as needed to contain all `values`."""
        return View(min(self.low, *values), max(self.high, *values))


@dataclass(frozen=True)
class FrontierPoints:
    """The points of one frontier picture as frames that all have the columns ATTACKER_AUC and MATCHING_AUC.

    `complete` and `stopped_early` are the search trials that are not on the front. `x_bars` and `y_bars` hold the
    points of the front with a 95 % interval of the attacker AUC or of the matching AUC, and its bounds `low` and
    `high`. `x` and `y` are the ranges of the axes, which contain all points and bounds.
    """

    stopped_early: pl.DataFrame
    complete: pl.DataFrame
    front: pl.DataFrame
    x_bars: pl.DataFrame
    y_bars: pl.DataFrame
    baselines: pl.DataFrame
    x: View
    y: View

    @property
    def confirmed(self) -> bool:
        """Whether the front consists of confirmed designs, whose figures are means over fresh seeds."""
        return self.front["source"][0] == "confirm"

    @property
    def staircase(self) -> pl.DataFrame:
        """The corners of the front's staircase from the lower to the right edge of the picture."""
        return staircase(self.front, self.y.low, self.x.high)

    @property
    def all_points(self) -> pl.DataFrame:
        """Every point of the picture, without intervals."""
        return _points([self.stopped_early, self.complete, self.front, self.baselines])


def frontier_points(trials: pl.DataFrame) -> FrontierPoints:
    """Return the points of a frontier picture of a `trials` frame; rows without both AUCs are left out.

    Each design of a baseline is one point, the mean over its seeds. The frame needs at least one judged trial.
    """
    search = trials.filter(pl.col("phase") == "search", pl.col(ATTACKER_AUC, MATCHING_AUC).is_finite())
    front = pareto_front(trials)
    off_front = search.join(front, on="trial_id", how="anti")
    references = trials.filter(pl.col("phase") == "baseline", is_judged())
    designs = references.group_by("method", "design_id").agg(pl.col(ATTACKER_AUC, MATCHING_AUC).mean())
    baselines = designs.sort("method", ATTACKER_AUC)
    points = _points([search, front, baselines])
    x_bars, y_bars = _bars(front, ATTACKER_AUC), _bars(front, MATCHING_AUC)
    return FrontierPoints(
        stopped_early=off_front.filter(pl.col("status") == "stopped_early"),
        complete=off_front.filter(pl.col("status") == "complete"),
        front=front,
        x_bars=x_bars,
        y_bars=y_bars,
        baselines=baselines,
        x=padded_view([points[ATTACKER_AUC], x_bars["low"], x_bars["high"]]),
        y=padded_view([points[MATCHING_AUC], y_bars["low"], y_bars["high"]]),
    )


def _points(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([rows.select(ATTACKER_AUC, MATCHING_AUC) for rows in frames])


def _bars(front: pl.DataFrame, column: str) -> pl.DataFrame:
    bounds = front.select(ATTACKER_AUC, MATCHING_AUC, low=f"{column}_low", high=f"{column}_high")
    return bounds.filter(pl.col("low").is_finite(), pl.col("high").is_finite())


def padded_view(columns: list[pl.Series]) -> View:
    """Return a range that contains all values of the columns, in AUC, with a margin on either side."""
    values = pl.concat([column.rename("value") for column in columns]).to_numpy()
    low, high = float(values.min()), float(values.max())
    margin = max((high - low) * PADDING, (MIN_EXTENT - (high - low)) / 2)
    return View(low - margin, high + margin)
