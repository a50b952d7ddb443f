"""Draws how sure each design's place on the front is: the share of resamples in which it is Pareto-optimal."""

import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.plots.elements.theme import (
    BLUE,
    RULE_GREY,
    VERMILLION,
    WIDTH_INCHES,
    caption,
    caption_inches,
    column_theme,
)
from analysis.summaries.evidence import evidence
from analysis.tables.reader import StudyTables, read_trials
from analysis.uncertainty.design_bootstrap import bootstrap_designs

MAX_SHOWN = 20
ROW_INCHES = 0.13
ON_FRONT, DOMINATED = "on the front", "dominated"
COLOURS = {ON_FRONT: BLUE, DOMINATED: VERMILLION}
SHAPES = {ON_FRONT: "o", DOMINATED: "^"}


def plot_probability(study: StudyTables) -> p9.ggplot:
    """Return a row per design, the most probable on top: confirmed designs if there are any, else search trials.

    Raises AnalysisError if no trial is judged or resamples are missing.
    """
    bootstrap = bootstrap_designs(study)
    designs = bootstrap.pareto_probability().filter(pl.col("probability").is_finite())
    if designs.is_empty():
        raise AnalysisError(
            f"{study.directory}: its files in resamples hold no figures of any design; expected at least one resample"
        )
    shown = designs.head(MAX_SHOWN).with_columns(
        pl.when("on_front").then(pl.lit(ON_FRONT)).otherwise(pl.lit(DOMINATED)).alias("place")
    )
    names = shown["design"].to_list()
    # A plot's first row is its lowest.
    shown = shown.with_columns(pl.col("design").cast(pl.Enum(names[::-1])))
    resampled = "people and seeds" if bootstrap.source == "confirm" else "people"
    text = caption(
        f"{evidence(read_trials(study))}.",
        f"Share of {bootstrap.costs.shape[2] - 1} resamples of {resampled} in which no other design dominates"
        f" (validation; higher is surer); the {len(names)} most probable of {designs.height} designs. Colour: by the"
        " measured AUCs.",
    )
    return (
        p9.ggplot(shown, p9.aes("design", "probability"))
        + p9.geom_segment(p9.aes(xend="design", yend=0), color=RULE_GREY, size=0.4)
        + p9.geom_point(p9.aes(color="place", shape="place"), size=1.5)
        + p9.scale_color_manual(values=COLOURS, breaks=list(COLOURS))
        + p9.scale_shape_manual(values=SHAPES, breaks=list(SHAPES))
        + p9.scale_y_continuous(limits=(0, 1), expand=(0.02, 0))
        + p9.coord_flip()
        + p9.labs(x="", y="probability of being Pareto-optimal", caption=text)
        + column_theme(WIDTH_INCHES, 0.75 + ROW_INCHES * len(names) + caption_inches(text))
        + p9.theme(axis_text_y=p9.element_text(size=6), panel_grid_major_y=p9.element_blank())
    )
