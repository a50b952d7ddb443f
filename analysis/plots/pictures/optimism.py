"""Draws how optimistic a search was: an arrow from each design's search AUCs to its AUCs on test with fresh seeds."""

import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.staircase import ATTACKER_AUC, MATCHING_AUC
from analysis.plots.elements.frontier_points import padded_view
from analysis.plots.elements.theme import (
    BLUE,
    LINE_GREY,
    VERMILLION,
    WIDTH_INCHES,
    axis_title,
    caption,
    caption_inches,
    column_theme,
)
from analysis.summaries.evidence import evidence
from analysis.tables.objectives import ATTACKER, MATCHING
from analysis.tables.reader import StudyTables, read_trials
from analysis.uncertainty.optimism import optimism

SEARCH, TEST = "search, validation", "confirmed, test"
COLOURS = {SEARCH: VERMILLION, TEST: BLUE}
SHAPES = {SEARCH: "o", TEST: "^"}


def plot_optimism(study: StudyTables) -> p9.ggplot:
    """Return an arrow per confirmed design, from its AUCs in the search (validation) to its means over fresh seeds
    (test).

    Raises AnalysisError if no design of the search is confirmed.
    """
    trials = read_trials(study)
    pairs = optimism(trials)
    if pairs.is_empty():
        raise AnalysisError(
            f"{study.directory}: no design of its search is confirmed; this command confirms them: aia-study confirm"
            f" {study.directory}"
        )
    points = pl.concat(
        [
            pairs.select(
                pl.col(f"attacker_{figures}").alias(ATTACKER_AUC),
                pl.col(f"matching_{figures}").alias(MATCHING_AUC),
                kind=pl.lit(kind),
            )
            for figures, kind in (("search", SEARCH), ("test", TEST))
        ]
    )
    text = _caption(trials, pairs)
    x, y = padded_view([points[ATTACKER_AUC]]), padded_view([points[MATCHING_AUC]])
    return (
        p9.ggplot(points, p9.aes(ATTACKER_AUC, MATCHING_AUC))
        + p9.geom_point(p9.aes(color="kind", shape="kind"), size=1.2)
        + p9.geom_segment(
            p9.aes(x="attacker_search", y="matching_search", xend="attacker_test", yend="matching_test"),
            data=pairs,
            inherit_aes=False,
            color=LINE_GREY,
            size=0.4,
            arrow=p9.arrow(angle=20, length=0.06, type="closed"),
        )
        + p9.scale_color_manual(values=COLOURS, breaks=list(COLOURS))
        + p9.scale_shape_manual(values=SHAPES, breaks=list(SHAPES))
        + p9.coord_cartesian(xlim=(x.low, x.high), ylim=(y.low, y.high), expand=False)
        + p9.labs(x=axis_title(ATTACKER), y=axis_title(MATCHING), caption=text)
        + column_theme(WIDTH_INCHES, 2.75 + caption_inches(text))
    )


def _caption(trials: pl.DataFrame, pairs: pl.DataFrame) -> str:
    attacker, matching = (
        (pairs[f"{name}_test"] - pairs[f"{name}_search"]).mean() for name in ("attacker", "matching")
    )
    return caption(
        f"{evidence(trials)}, confirmed figures on test.",
        f"Mean change: attacker AUC {attacker:+.3f}, matching AUC {matching:+.3f}; seeds and identities"
        " change.",
    )
