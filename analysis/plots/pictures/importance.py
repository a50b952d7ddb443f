"""Draws how important each hyperparameter is, for each objective and for being Pareto-optimal."""

import plotnine as p9
import polars as pl

from analysis.errors import AnalysisError
from analysis.plots.elements.theme import (
    BLUE,
    TEXT_GREY,
    WIDTH_INCHES,
    Layers,
    caption,
    column_theme,
    short_title,
)
from analysis.summaries.evidence import evidence
from analysis.tables.reader import StudyTables, read_importance, read_trials
from analysis.tables.schema import IMPORTANCE_FRONT, MIN_IMPORTANCE_TRIALS

MAX_SHOWN = 10  # hyperparameters: those with the largest importance for any target
ROW_INCHES = 0.15


def plot_importance(study: StudyTables) -> p9.ggplot:
    """Return a panel of bars for each target in the study's `importance.parquet`: the objectives and the front.

    Importances are those of fANOVA (Hutter et al. 2014) for objectives and PED-ANOVA (Watanabe et al. 2023) for the
    front. Raises AnalysisError if that file is missing or was computed from too few trials.
    """
    importance = read_importance(study)
    if importance.is_empty():
        raise AnalysisError(
            f"{study.directory}: fewer than {MIN_IMPORTANCE_TRIALS} complete search trials are in its search space, or"
            " all are equal; the importance of hyperparameters needs more"
        )
    titles = {one.column: f"{short_title(one)}: share of variance" for one in study.objectives}
    titles[IMPORTANCE_FRONT] = "being Pareto-optimal: relative importance"
    largest = importance.group_by("hyperparameter").agg(pl.col("importance").max())
    shown = largest.sort("importance", "hyperparameter", descending=[True, False]).head(MAX_SHOWN)
    names = shown["hyperparameter"].to_list()
    bars = importance.filter(
        pl.col("hyperparameter").is_in(names), pl.col("target").is_in(list(titles))
    ).with_columns(
        pl.col("hyperparameter").cast(pl.Enum(names[::-1])),
        pl.col("target").replace_strict(titles, return_dtype=pl.Enum(list(titles.values()))),
    )
    panels = bars["target"].n_unique()
    pairs = bars.select("target").unique().join(bars.select("hyperparameter").unique(), how="cross")
    missing = pairs.join(bars, on=["target", "hyperparameter"], how="anti").with_columns(
        importance=pl.lit(0.0), label=pl.lit(" not known")
    )
    return (
        p9.ggplot(bars, p9.aes("hyperparameter", "importance"))
        + p9.geom_col(fill=BLUE, width=0.65)
        + _labels(missing)
        + p9.coord_flip()
        + p9.facet_wrap("target", ncol=1)
        + p9.scale_y_continuous(expand=(0, 0, 0.05, 0))
        + p9.labs(
            x="",
            y="importance, 0 to 1 (higher matters more)",
            caption=caption(
                f"{evidence(read_trials(study))}.",
                f"Computed from {importance['trials'].max()} complete search trials: share of variance by fANOVA, each"
                " hyperparameter by itself in the trials where it is in effect; being Pareto-optimal by PED-ANOVA.",
            ),
        )
        + column_theme(WIDTH_INCHES, 0.95 + panels * (0.3 + ROW_INCHES * len(names)))
        + p9.theme(panel_grid_major_y=p9.element_blank())
    )


def _labels(rows: pl.DataFrame) -> Layers:
    text = p9.geom_text(p9.aes(label="label"), data=rows, size=5, color=TEXT_GREY, ha="left")
    return [text] if rows.height else []
