"""Where the names of the baselines go in a small picture without covering each other or what is drawn."""

from itertools import combinations

import numpy as np
import polars as pl

from analysis.plots.elements.frontier_points import Frontier, X, Y

LABEL_POINTS = 6.5
EM_INCHES = LABEL_POINTS / 72
CHARACTER_EM = 0.66  # mean width of a letter of the picture's font, rounded up
GAP_INCHES = 0.06  # between a mark and its name
MARK_INCHES = 0.02  # a mark's radius
DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)], dtype=float)


def label_rows(shown: Frontier, names: list[str], panel_inches: tuple[float, float]) -> pl.DataFrame:
    """Return the centre (columns X and Y, in AUC) of the `name` of each of the picture's baselines."""
    corner = np.array([shown.x.low, shown.y.low])
    inches = np.array(panel_inches) / (np.array([shown.x.high, shown.y.high]) - corner)
    sizes = np.array([(CHARACTER_EM * EM_INCHES * len(name), EM_INCHES) for name in names])
    anchors = (shown.baselines.select(X, Y).to_numpy() - corner) * inches
    obstacles = (_drawn(shown) - corner) * inches
    centres = place_labels(anchors, sizes, obstacles, panel_inches) / inches + corner
    return pl.DataFrame({X: centres[:, 0], Y: centres[:, 1], "name": names})


def place_labels(
    anchors: np.ndarray, sizes: np.ndarray, obstacles: np.ndarray, panel: tuple[float, float]
) -> np.ndarray:
    """Return the centre of each label, `[label, 2]`: of all ways to put them beside their anchors the clearest.

    All lengths are inches from the panel's lower left corner: `anchors` `[label, 2]`, `sizes` (width, height)
    `[label, 2]`, `obstacles` `[point, 2]`. Leaving the panel is worst, then covering a label, then points. All
    8 ** labels ways are compared, so this is for a handful of labels.
    """
    half = sizes[:, None] / 2
    places = anchors[:, None] + DIRECTIONS * (half + GAP_INCHES)  # [label, direction, 2]
    leaves = ((places < half) | (places + half > np.array(panel))).any(axis=2)
    marks = np.concatenate([obstacles, anchors])
    apart = np.abs(places[:, :, None] - marks)
    points = (apart < half[:, :, None] + MARK_INCHES).all(axis=3).sum(axis=2)
    alone = 1e6 * leaves + points

    ways = np.indices((len(DIRECTIONS),) * len(anchors)).reshape(len(anchors), -1)
    cost = sum(alone[label, way] for label, way in enumerate(ways))
    for one, other in combinations(range(len(anchors)), 2):
        gaps = np.abs(places[one, ways[one]] - places[other, ways[other]])
        cost = cost + 1e3 * (gaps < (sizes[one] + sizes[other]) / 2).all(axis=1)
    return places[np.arange(len(anchors)), ways[:, np.argmin(cost)]]


def _drawn(shown: Frontier) -> np.ndarray:
    """Points, and lines as points along them, `[point, 2]` in AUC."""
    corners = shown.staircase.to_numpy()
    bars = [
        (shown.x_bars.select("low", Y).to_numpy(), shown.x_bars.select("high", Y).to_numpy()),
        (shown.y_bars.select(X, "low").to_numpy(), shown.y_bars.select(X, "high").to_numpy()),
    ]
    lines = [(corners[:-1], corners[1:]), *bars]
    share = np.linspace(0, 1, 20)[:, None, None]
    along = [(start + share * (end - start)).reshape(-1, 2) for start, end in lines]
    return np.concatenate([shown.marks.to_numpy(), *along])
