"""How sure a design's place on the front is: the share of resamples in which it is Pareto-optimal."""

import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.plots.elements.theme import (
    BLUE,
    VERMILLION,
    WIDTH_INCHES,
    caption,
    caption_inches,
    column_theme,
)
from analysis.summaries.evidence import evidence
from analysis.tables.reader import StudyTables, read_trials
from analysis.uncertainty.design_bootstrap import bootstrapped

MAX_SHOWN = 20
ROW_INCHES = 0.13
ON_FRONT, BEHIND = "on the front by its figures", "behind it"
COLOURS = {ON_FRONT: BLUE, BEHIND: VERMILLION}
SHAPES = {ON_FRONT: "o", BEHIND: "^"}


def plot_probability(study: StudyTables) -> p9.ggplot:
    """Return a row per design, the most probable above: confirmed designs if there are any, else search trials.

    AnalysisError where no trial was judged, or the resamples of those that were are missing.
    """
    drawn = bootstrapped(study)
    found = drawn.pareto_probability().filter(pl.col("probability").is_finite())
    if found.is_empty():
        raise AnalysisError(
            f"{study.directory}: no resample knows the figures of a design; its files in resamples hold none"
        )
    shown = found.head(MAX_SHOWN).with_columns(
        pl.when("on_front").then(pl.lit(ON_FRONT)).otherwise(pl.lit(BEHIND)).alias("place")
    )
    designs = shown["design"].to_list()
    shown = shown.with_columns(pl.col("design").cast(pl.Enum(designs[::-1])))  # the first row is the lowest
    resampled = "people and seeds" if drawn.source == "confirm" else "people"
    text = caption(
        f"{evidence(read_trials(study))}.",
        f"Share of {drawn.costs.shape[2] - 1} resamples of {resampled} in which no other design is better (validation;"
        f" higher is surer); {len(designs)} of {found.height} designs, the most probable.",
    )
    return (
        p9.ggplot(shown, p9.aes("design", "probability"))
        + p9.geom_segment(p9.aes(xend="design", yend=0), color="#CCCCCC", size=0.4)
        + p9.geom_point(p9.aes(color="place", shape="place"), size=1.5)
        + p9.scale_color_manual(values=COLOURS, breaks=list(COLOURS))
        + p9.scale_shape_manual(values=SHAPES, breaks=list(SHAPES))
        + p9.scale_y_continuous(limits=(0, 1), expand=(0.02, 0))
        + p9.coord_flip()
        + p9.labs(x="", y="probability of being Pareto-optimal", caption=text)
        + column_theme(WIDTH_INCHES, 0.75 + ROW_INCHES * len(designs) + caption_inches(text))
        + p9.theme(axis_text_y=p9.element_text(size=6), panel_grid_major_y=p9.element_blank())
    )
