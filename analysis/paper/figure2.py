"""Draws Figure 2 of the paper: ROC AUC of gender inference and of face matching over α or β, the other one at 0.5."""

import plotnine as p9
import polars as pl

from analysis.paper.claims import FIGURE_2, FIXED_WEIGHT, FRESH
from analysis.plots.elements.theme import (
    BLUE,
    CHANCE_AUC,
    GREEN,
    LINE_GREY,
    VERMILLION,
    caption,
    column_theme,
)
from analysis.tables.objectives import ATTACKER, MATCHING

WIDTH_INCHES, HEIGHT_INCHES = 6.6, 3.1  # the width of a paper's two columns
COLOURS = {"AIA": BLUE, "Original": VERMILLION, "Random": GREEN}
FRESH_KIND, IN_LOOP_KIND = "fresh", "in the training loop"
LINES = {FRESH_KIND: "solid", IN_LOOP_KIND: "dashed"}
INFERENCE = f"gender inference, ROC AUC\n({ATTACKER.better})"
UTILITY = f"face matching, ROC AUC\n({MATCHING.better})"
SIDES = {
    FRESH.inference: (INFERENCE, FRESH_KIND),
    FRESH.utility: (UTILITY, FRESH_KIND),
    FIGURE_2.inference: (INFERENCE, IN_LOOP_KIND),
    FIGURE_2.utility: (UTILITY, IN_LOOP_KIND),
}
VARIED = {"a": "beta", "b": "alpha"}  # the weight on each panel's x axis
LETTERS = {"alpha": "α", "beta": "β"}
PAPER_FINDINGS = {
    "a": "The paper: gender inference falls as β rises; with β above α much utility is lost.",
    "b": "The paper: higher α keeps utility and costs privacy: gender inference rises.",
}
DODGE = 0.008  # in units of the weight: keeps bars of fresh and in-loop figures beside each other


def plot_figure_2(figures: pl.DataFrame, panel: str) -> p9.ggplot:
    """Return panel "a" (over β) or "b" (over α) of Figure 2, gender inference on the left, face matching on the
    right.

    `figures` is a frame of `analysis.paper.tables.figure_2`. Lines of fresh attackers and matchers are solid, those
    of the training loop dashed; baselines are horizontal lines.
    """
    weight = VARIED[panel]
    fixed = LETTERS["alpha" if weight == "beta" else "beta"]
    points = _points(figures.filter(pl.col("panel") == panel, pl.col("mean").is_not_null()), weight)
    ours, baselines = points.filter(pl.col("method") == "AIA"), points.filter(pl.col("method") != "AIA")
    return (
        p9.ggplot(ours, p9.aes("x", "mean", color="method", linetype="kind"))
        + p9.geom_hline(yintercept=CHANCE_AUC, linetype="dotted", color=LINE_GREY, size=0.4)
        + p9.geom_hline(p9.aes(yintercept="mean", color="method", linetype="kind"), data=baselines, size=0.5)
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), linetype="solid", size=0.35, alpha=0.6)
        + p9.geom_line(size=0.7)
        + p9.geom_point(p9.aes(fill="kind"), shape="o", size=1.5, stroke=0.5)
        + p9.facet_wrap("side", scales="free_y")
        + p9.scale_color_manual(values=COLOURS, breaks=list(COLOURS))
        + p9.scale_linetype_manual(values=LINES, breaks=list(LINES))
        + p9.scale_fill_manual(values={FRESH_KIND: BLUE, IN_LOOP_KIND: "white"}, guide=None)
        + p9.scale_x_continuous(breaks=[0, 0.25, 0.5, 0.75, 1], limits=(-0.02, 1.02))
        + p9.labs(
            x=f"{LETTERS[weight]}, weight in Eq. 8 ({fixed} = {FIXED_WEIGHT})",
            y="",
            caption=_caption(points, panel),
        )
        + column_theme(WIDTH_INCHES, HEIGHT_INCHES)
        + p9.theme(legend_key_width=22)
    )


def _points(rows: pl.DataFrame, weight: str) -> pl.DataFrame:
    side, kind = ({figure: both[place] for figure, both in SIDES.items()} for place in (0, 1))
    shift = pl.when(pl.col("kind") == FRESH_KIND).then(-DODGE / 2).otherwise(DODGE / 2)
    sides = pl.Enum([INFERENCE, UTILITY])
    return rows.with_columns(
        side=pl.col("figure").replace_strict(side, return_dtype=sides),
        kind=pl.col("figure").replace_strict(kind),
    ).with_columns(x=pl.col(weight) + shift)


def _caption(points: pl.DataFrame, panel: str) -> str:
    low, high = points["seeds"].min(), points["seeds"].max()
    seeds = f"{high}" if low == high else f"{low} to {high}"
    bars = "people and seeds" if high != 1 else "people"
    text = (
        f"{PAPER_FINDINGS[panel]} Here: test identities, {seeds} seed{'s' if high != 1 else ''} per point; bars: 95 %"
        f" bootstrap over {bars}. Dotted: chance."
    )
    return caption(text, width=WIDTH_INCHES)
