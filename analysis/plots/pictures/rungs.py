"""The rungs of early stopping: what trials reached where they were compared, and which went on."""

import numpy as np
import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.plots.elements.theme import (
    BLUE,
    GREY,
    VERMILLION,
    WIDTH_INCHES,
    caption,
    column_theme,
    panel_title,
)
from analysis.summaries.evidence import evidence
from analysis.summaries.rungs import ENDED, STOPPED, WENT_ON, judged_on_the_way, rung_counts
from analysis.tables.reader import StudyTables, read_epochs, read_trials

COLOURS = {WENT_ON: GREY, STOPPED: VERMILLION, ENDED: BLUE}
SHAPES = {WENT_ON: "o", STOPPED: "x", ENDED: "^"}
PLACES = {STOPPED: -0.12, WENT_ON: 0.04, ENDED: 0.04}  # beside the rung, in gaps between rungs
SPREAD = 0.1  # of trials with one fate at one rung, in gaps between rungs
MAX_BREAKS = 8  # rungs that are named on the axis; more is a study that was judged after each epoch
MANY = 100  # trials, of which lines and marks are finer
PANEL_INCHES = 1.6


def plot_rungs(study: StudyTables) -> p9.ggplot:
    """Return each objective over joint epochs, a line per search trial, a mark where it was judged.

    Marks stand side by side: left of a rung those that stopped there, on it those that went on. AnalysisError where no
    search trial was judged before its last epoch.
    """
    trials = read_trials(study)
    judged = judged_on_the_way(trials, read_epochs(study), study.objectives)
    rungs = rung_counts(judged)
    if rungs.is_empty():
        raise AnalysisError(
            f"{study.directory}: no search trial was judged before its last epoch; rungs need a study launched with"
            " --set early_stopping.rule=mo_asha"
        )
    titles = {objective.column: panel_title(objective) for objective in study.objectives}
    marks = _marks(judged, titles)
    lines = marks.with_columns(
        pl.col("x", "auc").shift(-1).over("trial_id", "objective").name.suffix("_next")
    ).drop_nulls("x_next")
    fates = [fate for fate in COLOURS if fate in judged["fate"]]
    many = judged["trial_id"].n_unique() > MANY
    epochs = judged["joint_epoch"].unique().sort().to_list()
    return (
        p9.ggplot(marks, p9.aes("x", "auc"))
        + (_lines(lines, 0.12 if many else 0.6) if lines.height else p9.labs())
        + p9.geom_point(p9.aes(color="fate", shape="fate"), size=0.4 if many else 1.1, stroke=0.3)
        + p9.facet_wrap("objective", ncol=1, scales="free_y")
        + p9.scale_color_manual(values=COLOURS, breaks=fates)
        + p9.scale_shape_manual(values=SHAPES, breaks=fates)
        + (p9.scale_x_continuous(breaks=epochs) if len(epochs) <= MAX_BREAKS else p9.labs())
        + p9.guides(color=p9.guide_legend(override_aes={"size": 1.2}))
        + p9.labs(x="epochs of joint training", y="ROC AUC on validation", caption=_caption(trials, rungs))
        + column_theme(WIDTH_INCHES, 0.9 + PANEL_INCHES * len(titles))
    )


def _marks(judged: pl.DataFrame, titles: dict[str, str]) -> pl.DataFrame:
    epochs = judged["joint_epoch"].unique().sort().to_numpy()
    gap = float(np.diff(epochs).min()) if len(epochs) > 1 else 1.0
    at_once = ("joint_epoch", "fate")
    place = pl.col("fate").replace_strict(PLACES, return_dtype=pl.Float64)
    rank = (pl.int_range(pl.len()).over(at_once) + 0.5) / pl.len().over(at_once) - 0.5
    return (
        judged.with_columns(x=pl.col("joint_epoch") + gap * (place + SPREAD * rank))
        .unpivot(
            on=list(titles), index=["trial_id", "fate", "x"], variable_name="objective", value_name="auc"
        )
        .with_columns(pl.col("objective").replace_strict(titles, return_dtype=pl.Enum(list(titles.values()))))
        .sort("trial_id", "objective", "x")
    )


def _lines(lines: pl.DataFrame, opacity: float) -> p9.geom_segment:
    return p9.geom_segment(
        p9.aes(xend="x_next", yend="auc_next"), data=lines, color=GREY, size=0.25, alpha=opacity
    )


def _caption(trials: pl.DataFrame, rungs: pl.DataFrame) -> str:
    counts = ", ".join(
        f"{went_on} of {reached} after epoch {epoch}"
        for epoch, reached, went_on in rungs.head(MAX_BREAKS).iter_rows()
    )
    return caption(f"{evidence(trials)}.", f"Went on: {counts}.")
