"""Draws which α and β a search tried, and the objectives at each of them."""

import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import is_judged, require_objectives
from analysis.fronts.pareto import pareto_front
from analysis.plots.elements.theme import (
    LINE_GREY,
    VERMILLION,
    WIDTH_INCHES,
    caption,
    column_theme,
    panel_title,
)
from analysis.summaries.evidence import evidence
from analysis.tables.reader import StudyTables, read_trials

ALPHA, BETA = "alpha", "beta"
PANEL_INCHES = 1.75


def plot_map(study: StudyTables) -> p9.ggplot:
    """Return a panel per objective with every complete search trial at its α and β, coloured by its AUC.

    Rings mark the Pareto front of the search. An axis is logarithmic unless its weight is 0 in some trial. Raises
    AnalysisError if no search trial is judged, or if α or β does not vary.
    """
    trials = read_trials(study)
    search = trials.filter(pl.col("phase") == "search")
    require_objectives(search, study.directory, study.objectives)
    points = search.filter(is_judged(study.objectives), pl.col(ALPHA, BETA).is_not_null())
    for weight in (ALPHA, BETA):
        if points[weight].n_unique() < 2:
            raise AnalysisError(
                f"{study.directory}: {weight} has one value in all {points.height} complete search trials; a map of"
                " alpha and beta needs a study that varies both"
            )
    titles = {objective.column: panel_title(objective) for objective in study.objectives}
    panels = pl.Enum(list(titles.values()))
    long = points.unpivot(
        on=list(titles), index=["trial_id", ALPHA, BETA], variable_name="objective", value_name="auc"
    ).with_columns(pl.col("objective").replace_strict(titles, return_dtype=panels))
    front = long.filter(
        pl.col("trial_id").is_in(pareto_front(search, study.objectives)["trial_id"].to_list())
    )
    return (
        p9.ggplot(long, p9.aes(ALPHA, BETA))
        + p9.geom_point(p9.aes(fill="auc"), shape="o", size=1.6, stroke=0.1, color=LINE_GREY)
        + p9.geom_point(data=front, shape="o", size=2.6, stroke=0.5, color=VERMILLION, fill="none")
        + p9.facet_wrap("objective", ncol=1)
        + p9.scale_fill_cmap(cmap_name="cividis", name="ROC AUC on validation")
        + (p9.scale_x_log10() if _is_positive(points, ALPHA) else p9.labs())
        + (p9.scale_y_log10() if _is_positive(points, BETA) else p9.labs())
        + p9.labs(
            x="α, weight of face matching (Eq. 8)",
            y="β, weight of hiding the attribute (Eq. 8)",
            caption=caption(f"{evidence(trials)}.", "Rings: Pareto-optimal among search trials."),
        )
        + column_theme(WIDTH_INCHES, 1.0 + PANEL_INCHES * len(titles))
        + p9.theme(
            legend_title=p9.element_text(size=6.5, margin={"r": 5}), legend_key_width=90, legend_key_height=6
        )
    )


def _is_positive(points: pl.DataFrame, weight: str) -> bool:
    return points.filter(pl.col(weight) <= 0).is_empty()
