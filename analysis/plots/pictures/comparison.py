"""The fronts of two studies in one picture, and by how much one is better."""

import plotnine as p9
import polars as pl

from analysis.fronts.pareto import pareto_front
from analysis.fronts.staircase import X, Y, staircase
from analysis.plots.elements.frontier_points import view_of
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
    """Return both fronts as staircases; the caption holds the difference of their hypervolumes with its interval.

    AnalysisError as in `analysis.comparison.compare`.
    """
    compared = compare(one, other)
    names = _names(one, other)
    fronts = [_front(study, compared.source) for study in (one, other)]
    both = pl.concat(fronts)
    x, y = view_of([both[X]]), view_of([both[Y]])
    points = pl.concat(
        [front.with_columns(study=pl.lit(name)) for name, front in zip(names, fronts, strict=True)]
    )
    lines = pl.concat(
        [
            staircase(front, y.low, x.high).with_columns(study=pl.lit(name))
            for name, front in zip(names, fronts, strict=True)
        ]
    )
    text = _caption(names, (one, other), compared)
    colours, shapes = dict(zip(names, (BLUE, VERMILLION), strict=True)), dict(zip(names, "o^", strict=True))
    return (
        p9.ggplot(points, p9.aes(X, Y, color="study"))
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
    return pareto_front(rows).select(X, Y)


def _names(one: StudyTables, other: StudyTables) -> tuple[str, str]:
    """The last parts of the directories, whole where these agree."""
    short = [study.location.resolve().name for study in (one, other)]
    return (short[0], short[1]) if short[0] != short[1] else (one.directory, other.directory)


def _caption(names: tuple[str, str], studies: tuple[StudyTables, StudyTables], compared: Comparison) -> str:
    rows = "confirmed designs" if compared.source == "confirm" else "search trials"
    over = "people and seeds" if compared.over_seeds else "people alone, not seeds"
    people = "the same people" if compared.same_people else "different people"
    return caption(
        f"Hypervolume of {names[0]} less that of {names[1]}: {_with_interval(compared.difference, '+.4f')} AUC x AUC"
        f" ({_with_interval(compared.one)} less {_with_interval(compared.other)}).",
        f"95 % bootstrap over {over}; {people}; validation.",
        f"Fronts of {rows}.",
        *(f"{name}, {evidence(read_trials(study))}." for name, study in zip(names, studies, strict=True)),
    )


def _with_interval(found: Estimate, form: str = ".4f") -> str:
    return f"{found.value:{form}} [{found.low:{form}}, {found.high:{form}}]"
