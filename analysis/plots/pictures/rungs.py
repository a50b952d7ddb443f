"""Draws the rungs of early stopping: the AUCs at which trials were compared, and which trials continued."""

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
from analysis.summaries.rungs import CONTINUED, ENDED, STOPPED, judgements_by_epoch, rung_counts
from analysis.tables.reader import StudyTables, read_epochs, read_trials

COLOURS = {CONTINUED: GREY, STOPPED: VERMILLION, ENDED: BLUE}
SHAPES = {CONTINUED: "o", STOPPED: "x", ENDED: "^"}
# Horizontal offset from the rung, and spread of the points with one outcome, in units of the gap between rungs.
OFFSETS = {STOPPED: -0.12, CONTINUED: 0.04, ENDED: 0.04}
SPREAD = 0.1
MAX_BREAKS = 8  # a study with more rungs was judged after each epoch and gets automatic breaks
MAX_THICK_TRIALS = 100  # with more trials lines and points are thinner
PANEL_INCHES = 1.6


def plot_rungs(study: StudyTables) -> p9.ggplot:
    """Return each objective over joint epochs, with a line per search trial and a point where it was judged.

    Points of trials that stopped at a rung are left of it, all others on it. Raises AnalysisError if no search trial
    was judged before its last epoch.
    """
    trials = read_trials(study)
    judged = judgements_by_epoch(trials, read_epochs(study), study.objectives)
    rungs = rung_counts(judged)
    if rungs.is_empty():
        raise AnalysisError(
            f"{study.directory}: no search trial was judged before its last epoch; expected a study launched with"
            " --set early_stopping.rule=mo_asha"
        )
    titles = {objective.column: panel_title(objective) for objective in study.objectives}
    marks = _marks(judged, titles)
    lines = marks.with_columns(
        pl.col("x", "auc").shift(-1).over("trial_id", "objective").name.suffix("_next")
    ).drop_nulls("x_next")
    outcomes = [outcome for outcome in COLOURS if outcome in judged["outcome"]]
    many = judged["trial_id"].n_unique() > MAX_THICK_TRIALS
    epochs = judged["joint_epoch"].unique().sort().to_list()
    return (
        p9.ggplot(marks, p9.aes("x", "auc"))
        + (_lines(lines, 0.12 if many else 0.6) if lines.height else p9.labs())
        + p9.geom_point(p9.aes(color="outcome", shape="outcome"), size=0.4 if many else 1.1, stroke=0.3)
        + p9.facet_wrap("objective", ncol=1, scales="free_y")
        + p9.scale_color_manual(values=COLOURS, breaks=outcomes)
        + p9.scale_shape_manual(values=SHAPES, breaks=outcomes)
        + (p9.scale_x_continuous(breaks=epochs) if len(epochs) <= MAX_BREAKS else p9.labs())
        + p9.guides(color=p9.guide_legend(override_aes={"size": 1.2}))
        + p9.labs(x="epochs of joint training", y="ROC AUC on validation", caption=_caption(trials, rungs))
        + column_theme(WIDTH_INCHES, 0.9 + PANEL_INCHES * len(titles))
    )


def _marks(judged: pl.DataFrame, titles: dict[str, str]) -> pl.DataFrame:
    epochs = judged["joint_epoch"].unique().sort().to_numpy()
    gap = float(np.diff(epochs).min()) if len(epochs) > 1 else 1.0
    at_once = ("joint_epoch", "outcome")
    offset = pl.col("outcome").replace_strict(OFFSETS, return_dtype=pl.Float64)
    rank = (pl.int_range(pl.len()).over(at_once) + 0.5) / pl.len().over(at_once) - 0.5
    return (
        judged.with_columns(x=pl.col("joint_epoch") + gap * (offset + SPREAD * rank))
        .unpivot(
            on=list(titles), index=["trial_id", "outcome", "x"], variable_name="objective", value_name="auc"
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
        f"{continued} of {reached} after epoch {epoch}"
        for epoch, reached, continued in rungs.head(MAX_BREAKS).iter_rows()
    )
    return caption(f"{evidence(trials)}.", f"Continued: {counts}.")
