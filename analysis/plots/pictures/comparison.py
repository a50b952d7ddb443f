"""Draws the fronts of two studies in one picture and states the difference of their hypervolumes."""

import plotnine as p9
import polars as pl

from analysis.fronts.pareto import pareto_front
from analysis.fronts.staircase import ATTACKER_AUC, MATCHING_AUC, staircase
from analysis.plots.elements.frontier_points import padded_view
from analysis.plots.elements.theme import (
    BLUE,
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
from analysis.uncertainty.comparison import Comparison, compare
from analysis.uncertainty.resampled import Estimate


def plot_comparison(one: StudyTables, other: StudyTables) -> p9.ggplot:
    """Return both fronts as staircases; the caption states the difference of their hypervolumes with its interval.

    Raises AnalysisError if the studies cannot be compared, as `analysis.uncertainty.comparison.compare` does.
    """
    comparison = compare(one, other)
    names = _names(one, other)
    fronts = [_front(study, comparison.source) for study in (one, other)]
    both = pl.concat(fronts)
    x, y = padded_view([both[ATTACKER_AUC]]), padded_view([both[MATCHING_AUC]])
    points = pl.concat(
        [front.with_columns(study=pl.lit(name)) for name, front in zip(names, fronts, strict=True)]
    )
    lines = pl.concat(
        [
            staircase(front, y.low, x.high).with_columns(study=pl.lit(name))
            for name, front in zip(names, fronts, strict=True)
        ]
    )
    text = _caption(names, (one, other), comparison)
    colours, shapes = dict(zip(names, (BLUE, VERMILLION), strict=True)), dict(zip(names, "o^", strict=True))
    return (
        p9.ggplot(points, p9.aes(ATTACKER_AUC, MATCHING_AUC, color="study"))
        + p9.geom_path(p9.aes(linetype="study"), data=lines, size=0.6)
        + p9.geom_point(p9.aes(shape="study"), size=1.4)
        + p9.scale_color_manual(values=colours, breaks=list(names))
        + p9.scale_shape_manual(values=shapes, breaks=list(names))
        + p9.scale_linetype_manual(
            values=dict(zip(names, ("solid", "dashed"), strict=True)), breaks=list(names)
        )
        + p9.coord_cartesian(xlim=(x.low, x.high), ylim=(y.low, y.high), expand=False)
        + p9.labs(x=axis_title(ATTACKER), y=axis_title(MATCHING), caption=text)
        + column_theme(WIDTH_INCHES, 2.75 + caption_inches(text))
        + p9.theme(legend_key_width=14)
    )


def _front(study: StudyTables, source: str) -> pl.DataFrame:
    rows = read_trials(study).filter(pl.col("phase") == source)
    return pareto_front(rows).select(ATTACKER_AUC, MATCHING_AUC)


def _names(one: StudyTables, other: StudyTables) -> tuple[str, str]:
    """Return the names of the studies' directories; their whole paths if the names are equal."""
    short = [study.location.resolve().name for study in (one, other)]
    return (short[0], short[1]) if short[0] != short[1] else (one.directory, other.directory)


def _caption(names: tuple[str, str], studies: tuple[StudyTables, StudyTables], comparison: Comparison) -> str:
    rows = "confirmed designs" if comparison.source == "confirm" else "search trials"
    over = "people and seeds" if comparison.seeds_resampled else "people alone, not seeds"
    people = "the same people" if comparison.same_people else "different people"
    return caption(
        f"Hypervolume of {names[0]} minus that of {names[1]}: {_with_interval(comparison.difference, '+.4f')} AUC x AUC"
        f" ({_with_interval(comparison.one)} minus {_with_interval(comparison.other)}).",
        f"95 % bootstrap over {over}; {people}; validation.",
        f"Fronts of {rows}.",
        *(f"{name}, {evidence(read_trials(study))}." for name, study in zip(names, studies, strict=True)),
    )


def _with_interval(estimate: Estimate, digits: str = ".4f") -> str:
    return f"{estimate.value:{digits}} [{estimate.low:{digits}}, {estimate.high:{digits}}]"
