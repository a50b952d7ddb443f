"""Draws parallel coordinates: every complete search trial is a line through its hyperparameters and its AUCs."""

from itertools import pairwise

import plotnine as p9
import polars as pl
from matplotlib.patheffects import withStroke

from analysis.fronts.candidates import is_judged, require_objectives
from analysis.fronts.pareto import pareto_front
from analysis.plots.elements.theme import (
    BLUE,
    GREY,
    RULE_GREY,
    WIDTH_INCHES,
    Layers,
    caption,
    column_theme,
    short_title,
)
from analysis.summaries.coordinates import Axis, axes
from analysis.summaries.evidence import evidence
from analysis.tables.reader import StudyTables, read_trials

AXIS_INCHES = 0.31
OTHER, FRONT = "trial", "Pareto-optimal"
COLOURS = {OTHER: GREY, FRONT: BLUE}
HALO = [withStroke(linewidth=1.6, foreground="white")]  # keeps labels legible on lines


def plot_coordinates(study: StudyTables) -> p9.ggplot:
    """Return an axis per varied hyperparameter and per objective, one below the other, and a line per search trial.

    A hyperparameter that is not in effect in a trial is drawn left of its axis. Raises AnalysisError if no search
    trial is judged.
    """
    trials = read_trials(study)
    search = trials.filter(pl.col("phase") == "search")
    require_objectives(search, study.directory, study.objectives)
    rows = search.filter(is_judged(study.objectives))
    front = pareto_front(search, study.objectives)["trial_id"].to_list()
    drawn_axes = axes(rows, study.objectives)
    titles = {one.column: f"{short_title(one)}\n({one.better})" for one in study.objectives}
    heights = {axis.column: float(len(drawn_axes) - place) for place, axis in enumerate(drawn_axes)}
    lines = _lines(rows, drawn_axes, heights).with_columns(
        kind=pl.when(pl.col("trial_id").is_in(front)).then(pl.lit(FRONT)).otherwise(pl.lit(OTHER))
    )
    return (
        p9.ggplot(lines, p9.aes("position", "height", color="kind"))
        + p9.geom_hline(yintercept=list(heights.values()), color=RULE_GREY, size=0.3)
        + [
            *_segments(lines, OTHER, size=0.3, opacity=_opacity(rows.height)),
            *_segments(lines, FRONT, size=0.5, opacity=0.8),
            *_labels(_ticks(drawn_axes, heights)),
        ]
        + p9.scale_color_manual(values=COLOURS, breaks=[FRONT, OTHER])
        + p9.scale_x_continuous(breaks=[], expand=(0.06, 0))
        + p9.scale_y_continuous(
            breaks=list(heights.values()),
            labels=[titles.get(axis.column, axis.column) for axis in drawn_axes],
            limits=(0.55, len(drawn_axes) + 0.3),
            expand=(0, 0),
        )
        + p9.labs(
            x="smallest to largest value in the study",
            y="",
            caption=caption(f"{evidence(trials)}.", "Lines: complete search trials."),
        )
        + column_theme(WIDTH_INCHES, 0.9 + AXIS_INCHES * len(drawn_axes))
        + p9.theme(panel_grid_major=p9.element_blank(), axis_text_y=p9.element_text(size=6.5, ha="right"))
    )


def _segments(lines: pl.DataFrame, kind: str, size: float, opacity: float) -> Layers:
    of_kind = lines.filter(pl.col("kind") == kind)
    end_point = p9.aes(xend="next_position", yend="next_height")
    return [p9.geom_segment(end_point, data=of_kind, size=size, alpha=opacity)] if of_kind.height else []


def _labels(ticks: pl.DataFrame) -> Layers:
    """Return the labels of all ticks; labels at either end of an axis are aligned so that they stay inside it."""
    sides = {
        "left": ticks.filter(pl.col("position") == 0),
        "right": ticks.filter(pl.col("position") == 1),
        "center": ticks.filter(~pl.col("position").is_in([0.0, 1.0])),
    }
    return [
        p9.geom_text(
            p9.aes("position", "height", label="label"),
            data=rows,
            inherit_aes=False,
            ha=side,
            size=5.5,
            nudge_y=-0.27,
            path_effects=HALO,
        )
        for side, rows in sides.items()
        if rows.height
    ]


def _opacity(lines: int) -> float:
    """Return the opacity of a line: the lower, the more lines there are, so that dense regions stand out."""
    return min(0.6, max(0.08, 12 / lines))


def _lines(rows: pl.DataFrame, drawn_axes: list[Axis], heights: dict[str, float]) -> pl.DataFrame:
    """Return one row per trial and pair of neighbouring axes: the positions and heights of the segment's two ends."""
    return pl.concat(
        [
            pl.DataFrame(
                {"trial_id": rows["trial_id"], "position": axis.positions, "next_position": below.positions}
            ).with_columns(height=pl.lit(heights[axis.column]), next_height=pl.lit(heights[below.column]))
            for axis, below in pairwise(drawn_axes)
        ]
    )


def _ticks(drawn_axes: list[Axis], heights: dict[str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"position": position, "height": heights[axis.column], "label": label}
            for axis in drawn_axes
            for label, position in axis.ticks
        ]
    )
