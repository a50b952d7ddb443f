"""Places the names of the baselines in a small picture so that they cover neither each other nor points nor lines."""

from itertools import combinations

import numpy as np
import polars as pl

from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC, FrontierPoints

LABEL_POINTS = 6.5
EM_INCHES = LABEL_POINTS / 72
CHARACTER_EM = 0.66  # mean width of a letter of the picture's font, rounded up
GAP_INCHES = 0.06  # between a point and its name
POINT_INCHES = 0.03  # radius of a drawn point
NEAR = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
FAR = [(0, 2.2), (0, -2.2), (-1, 2.2), (-1, -2.2)]
DIRECTIONS = np.array(NEAR + FAR, dtype=float)
FAR_COST = 1.5  # in covered points


def label_rows(
    picture: FrontierPoints, named: pl.DataFrame, names: list[str], panel_inches: tuple[float, float]
) -> pl.DataFrame:
    """Return one row per labelled baseline of a picture with the centre of its label, in AUC, and its `name`.

    `named` are those of the picture's baselines that get a label, and `names` their labels; `panel_inches` is the width
    and height of the plotted area. Columns: ATTACKER_AUC, MATCHING_AUC and `name`.
    """
    corner = np.array([picture.x.low, picture.y.low])
    inches = np.array(panel_inches) / (np.array([picture.x.high, picture.y.high]) - corner)
    sizes = np.array([(CHARACTER_EM * EM_INCHES * len(name), EM_INCHES) for name in names])
    anchors = (named.select(ATTACKER_AUC, MATCHING_AUC).to_numpy() - corner) * inches
    obstacles = (_obstacles(picture) - corner) * inches
    centres = place_labels(anchors, sizes, obstacles, panel_inches) / inches + corner
    return pl.DataFrame({ATTACKER_AUC: centres[:, 0], MATCHING_AUC: centres[:, 1], "name": names})


def place_labels(
    anchors: np.ndarray, sizes: np.ndarray, obstacles: np.ndarray, panel: tuple[float, float]
) -> np.ndarray:
    """Return the centre of each label, float64 `[label, 2]`: the best of all combinations of twelve places around each
    anchor.

    `anchors` `[label, 2]` are the labelled points, `sizes` `[label, 2]` the labels' width and height, `obstacles`
    `[point, 2]` further points, `panel` the width and height of the plotted area; all are in inches from its lower left
    corner. Leaving the panel is worst, then covering another label, then covering points, then one of the four farther
    places. All 12 ** labels combinations are compared, so this is for a handful of labels.
    """
    half = sizes[:, None] / 2
    centres = anchors[:, None] + DIRECTIONS * (half + GAP_INCHES)  # [label, direction, 2]
    leaves_panel = ((centres < half) | (centres + half > np.array(panel))).any(axis=2)
    points = np.concatenate([obstacles, anchors])
    distances = np.abs(centres[:, :, None] - points)
    covered_points = (distances < half[:, :, None] + POINT_INCHES).all(axis=3).sum(axis=2)
    is_far = np.arange(len(DIRECTIONS)) >= len(NEAR)
    label_costs = 1e6 * leaves_panel + covered_points + FAR_COST * is_far

    # Each column is one combination: the index of a direction for each label.
    combined = np.indices((len(DIRECTIONS),) * len(anchors)).reshape(len(anchors), -1)
    cost = sum(label_costs[label, directions] for label, directions in enumerate(combined))
    for one, other in combinations(range(len(anchors)), 2):
        gaps = np.abs(centres[one, combined[one]] - centres[other, combined[other]])
        cost = cost + 1e3 * (gaps < (sizes[one] + sizes[other]) / 2).all(axis=1)
    return centres[np.arange(len(anchors)), combined[:, np.argmin(cost)]]


def _obstacles(picture: FrontierPoints) -> np.ndarray:
    """Return the picture's points, and points along its lines, float64 `[point, 2]` in AUC."""
    corners = picture.staircase.to_numpy()
    bars = [
        (
            picture.x_bars.select("low", MATCHING_AUC).to_numpy(),
            picture.x_bars.select("high", MATCHING_AUC).to_numpy(),
        ),
        (
            picture.y_bars.select(ATTACKER_AUC, "low").to_numpy(),
            picture.y_bars.select(ATTACKER_AUC, "high").to_numpy(),
        ),
    ]
    lines = [(corners[:-1], corners[1:]), *bars]
    share = np.linspace(0, 1, 20)[:, None, None]
    along = [(start + share * (end - start)).reshape(-1, 2) for start, end in lines]
    return np.concatenate([picture.all_points.to_numpy(), *along])
