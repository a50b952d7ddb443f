"""Draws the trade-off frontier: every search trial, the front as a staircase, and the baselines with their names."""

import plotnine as p9
import polars as pl

from analysis.fronts.candidates import require_objectives
from analysis.plots.elements.frontier_points import (
    ATTACKER_AUC,
    MATCHING_AUC,
    FrontierPoints,
    frontier_points,
)
from analysis.plots.elements.label_placement import LABEL_POINTS, label_rows
from analysis.plots.elements.theme import (
    BLUE,
    CHANCE_AUC,
    GREY,
    LINE_GREY,
    SKY,
    VERMILLION,
    axis_title,
    caption,
    column_theme,
)
from analysis.summaries.evidence import evidence
from analysis.tables.objectives import ATTACKER, MATCHING

# Width and height of the plotted area; titles, legend and caption take the rest of the picture.
PANEL_INCHES = (2.95, 2.15)

SEARCH_TRIAL, STOPPED, FRONT, CONFIRMED = (
    "trial",
    "stopped early",
    "Pareto-optimal",
    "Pareto-optimal, confirmed",
)
SHAPES = {SEARCH_TRIAL: "o", STOPPED: "x", FRONT: "o", CONFIRMED: "o"}
COLOURS = {SEARCH_TRIAL: GREY, STOPPED: GREY, FRONT: BLUE, CONFIRMED: BLUE}
BASELINES = {
    "original": ("s", "Original"),
    "random": ("^", "Random"),
    "aia_without_t": ("D", "AIA\\T"),
    "erasure": ("v", "Erasure"),
    "fisher": ("p", "Fisher"),
}


def plot_frontier(trials: pl.DataFrame, title: str | None = None) -> p9.ggplot:
    """Return the frontier of a `trials` frame: attacker AUC on the x axis, matching AUC on the y axis, on validation.

    Thin bars are the front's 95 % bootstrap intervals over identities, if the frame has them. Raises AnalysisError if
    no trial is judged.
    """
    require_objectives(trials, "trials")
    frontier = frontier_points(trials)
    kinds = {SEARCH_TRIAL: frontier.complete, STOPPED: frontier.stopped_early}
    kinds = {kind: rows for kind, rows in kinds.items() if rows.height}
    on_front = CONFIRMED if frontier.confirmed else FRONT
    layers = [
        *_chance_lines(frontier),
        *(_points(rows, kind, size=0.8) for kind, rows in kinds.items()),
        p9.geom_path(data=frontier.staircase, color=SKY, size=0.7),
        *_intervals(frontier),
        _points(frontier.front, on_front, size=1.4),
        *_baselines(frontier),
    ]
    legend = [*kinds, on_front]
    return (
        p9.ggplot(frontier.all_points, p9.aes(ATTACKER_AUC, MATCHING_AUC))
        + layers
        + p9.scale_shape_manual(values=SHAPES, breaks=legend)
        + p9.scale_color_manual(values=COLOURS, breaks=legend)
        + p9.coord_cartesian(
            xlim=(frontier.x.low, frontier.x.high), ylim=(frontier.y.low, frontier.y.high), expand=False
        )
        + p9.labs(x=axis_title(ATTACKER), y=axis_title(MATCHING), caption=_caption(trials, frontier))
        + (p9.ggtitle(title) if title else p9.labs())
        + column_theme()
    )


def _caption(trials: pl.DataFrame, frontier: FrontierPoints) -> str:
    bars = "Bars: 95 % bootstrap over identities." if frontier.x_bars.height or frontier.y_bars.height else ""
    dotted = (
        "Dotted:\N{NO-BREAK SPACE}chance."
        if frontier.x.contains(CHANCE_AUC) or frontier.y.contains(CHANCE_AUC)
        else ""
    )
    return caption(f"{evidence(trials)}.", bars, dotted)


def _points(rows: pl.DataFrame, kind: str, size: float) -> p9.geom_point:
    return p9.geom_point(
        p9.aes(shape="kind", color="kind"),
        data=rows.select(ATTACKER_AUC, MATCHING_AUC, kind=pl.lit(kind)),
        size=size,
    )


def _chance_lines(frontier: FrontierPoints) -> list[p9.geom_vline | p9.geom_hline]:
    style = {"linetype": "dotted", "color": LINE_GREY, "size": 0.4}
    across = [p9.geom_vline(xintercept=CHANCE_AUC, **style)] if frontier.x.contains(CHANCE_AUC) else []
    up = [p9.geom_hline(yintercept=CHANCE_AUC, **style)] if frontier.y.contains(CHANCE_AUC) else []
    return [*across, *up]


def _intervals(frontier: FrontierPoints) -> list[p9.geom_segment]:
    style = {"color": BLUE, "size": 0.2, "alpha": 0.6}
    across = p9.geom_segment(p9.aes(x="low", xend="high", yend=MATCHING_AUC), data=frontier.x_bars, **style)
    up = p9.geom_segment(p9.aes(y="low", yend="high", xend=ATTACKER_AUC), data=frontier.y_bars, **style)
    return [layer for layer, bars in ((across, frontier.x_bars), (up, frontier.y_bars)) if bars.height]


def _baselines(frontier: FrontierPoints) -> list[p9.geom_point | p9.geom_text]:
    if frontier.baselines.is_empty():
        return []
    points = [
        p9.geom_point(
            data=row, shape=BASELINES[method][0], size=2.1, color="white", fill=VERMILLION, stroke=0.3
        )
        for (method,), row in frontier.baselines.group_by("method", maintain_order=True)
    ]
    named = frontier.baselines.unique("method", keep="first", maintain_order=True)
    names = [BASELINES[method][1] for method in named["method"]]
    labels = label_rows(frontier, named, names, PANEL_INCHES)
    text = p9.geom_text(p9.aes(label="name"), data=labels, size=LABEL_POINTS, color=VERMILLION)
    return [*points, text]
