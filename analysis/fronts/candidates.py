"""Selects the rows of `trials` that compete for a front: confirmed designs if there are any, else search trials."""

from collections.abc import Sequence

import polars as pl
import polars.selectors as cs

from analysis.errors import AnalysisError
from analysis.tables.beside import CERTIFIED_AUC
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

FIGURE_COLUMNS = cs.matches(rf"_(validation|test)(_low|_high)?$|^{CERTIFIED_AUC}$") & cs.float()


def is_judged(objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> pl.Expr:
    """Return a filter for a `trials` frame: rows of status `complete` whose objectives are all finite numbers."""
    finite = [pl.col(objective.column).cast(pl.Float64).is_finite() for objective in objectives]
    return pl.all_horizontal(pl.col("status") == "complete", *finite)


def candidates(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> pl.DataFrame:
    """Return the judged rows of a `trials` frame that compete for the front, plus two columns.

    `source` is "confirm" if the frame holds any judged confirmation, else "search"; `seeds` counts the trainings that a
    row averages. Each confirmed design becomes one row: its figures are means over its judged seeds, and every other
    column (trial, checkpoint) comes from its first fresh seed that kept a checkpoint. The bounds of an interval are
    averaged like figures: all seeds are judged on the same identities, so averaging over seeds does not narrow it.
    """
    complete = frame.filter(is_judged(objectives))
    confirmed = complete.filter(pl.col("phase") == "confirm")
    if confirmed.is_empty():
        return complete.filter(pl.col("phase") == "search").with_columns(
            source=pl.lit("search"), seeds=pl.lit(1, pl.UInt32)
        )
    # The checkpoint is that of the first seed, which stays the first when more seeds are trained, and not of the best
    # one: a checkpoint picked by its figures would be worse than they say. A confirmation's trial id ends in its
    # number.
    number = pl.col("trial_id").str.extract(r"-(\d+)$").cast(pl.Int64, strict=False)
    ordered = confirmed.sort(pl.col("checkpoint").is_null(), number, "trial_id", nulls_last=True)
    return (
        ordered.group_by("design_id", maintain_order=True)
        .agg(
            (~FIGURE_COLUMNS).exclude("design_id").first(),
            FIGURE_COLUMNS.fill_nan(None).mean(),
            seeds=pl.len(),
        )
        .select(*frame.columns, pl.lit("confirm").alias("source"), "seeds")
    )


def require_objectives(
    frame: pl.DataFrame, where: str, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> None:
    """Raise AnalysisError if a `trials` frame can have no front, with `where` (a directory) at the start of the
    message.

    A front needs at least one complete trial, baselines aside, that has all objectives.
    """
    complete = frame.filter(pl.col("status") == "complete", pl.col("phase") != "baseline")
    if complete.is_empty():
        raise AnalysisError(
            f"{where}: none of {frame.height} trials is complete; a front needs at least one complete trial"
        )
    for objective in objectives:
        if complete.filter(is_judged([objective])).is_empty():
            raise AnalysisError(
                f"{where}: {objective.column} is missing in all {complete.height} complete trials;"
                " a front needs a trial with all objectives"
            )
    if complete.filter(is_judged(objectives)).is_empty():
        raise AnalysisError(
            f"{where}: none of {complete.height} complete trials has all objectives; a front needs at least one"
        )
