"""Which rows of `trials` may be on a front or meet a limit: confirmed designs if any, else search trials."""

from collections.abc import Sequence

import polars as pl
import polars.selectors as cs

from analysis.errors import AnalysisError
from analysis.tables.objectives import SEARCH_OBJECTIVES, Objective

FIGURES = cs.matches(r"_(validation|test)(_low|_high)?$") & cs.float()


def judged(objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> pl.Expr:
    """A filter: rows of finished trials whose every objective is a finite number."""
    finite = [pl.col(objective.column).cast(pl.Float64).is_finite() for objective in objectives]
    return pl.all_horizontal(pl.col("status") == "complete", *finite)


def candidates(frame: pl.DataFrame, objectives: Sequence[Objective] = SEARCH_OBJECTIVES) -> pl.DataFrame:
    """Return the judged rows that compete, with `source` ("search" or "confirm") and `seeds` per row.

    A confirmed design is one row: every figure the mean over its judged seeds, everything else (trial,
    checkpoint) from its first fresh seed that kept a checkpoint. An interval's bounds are averaged like figures:
    the seeds are judged on the same identities, so averaging over them does not narrow it.
    """
    complete = frame.filter(judged(objectives))
    confirmed = complete.filter(pl.col("phase") == "confirm")
    if confirmed.is_empty():
        return complete.filter(pl.col("phase") == "search").with_columns(
            source=pl.lit("search"), seeds=pl.lit(1, pl.UInt32)
        )
    # The first seed, which stays the first when others follow, and not the best one: a checkpoint picked by its figures
    # would be worse than they say. Its number ends the id of a trial that confirms.
    number = pl.col("trial_id").str.extract(r"-(\d+)$").cast(pl.Int64, strict=False)
    ordered = confirmed.sort(pl.col("checkpoint").is_null(), number, "trial_id", nulls_last=True)
    return (
        ordered.group_by("design_id", maintain_order=True)
        .agg((~FIGURES).exclude("design_id").first(), FIGURES.fill_nan(None).mean(), seeds=pl.len())
        .select(*frame.columns, pl.lit("confirm").alias("source"), "seeds")
    )


def require_objectives(
    frame: pl.DataFrame, where: str, objectives: Sequence[Objective] = SEARCH_OBJECTIVES
) -> None:
    """Raise AnalysisError where no front can exist: no complete trial, or an objective that none has."""
    complete = frame.filter(pl.col("status") == "complete", pl.col("phase") != "baseline")
    if complete.is_empty():
        raise AnalysisError(f"{where}: none of {frame.height} trials is complete; a front needs at least one")
    for objective in objectives:
        if complete.filter(judged([objective])).is_empty():
            raise AnalysisError(
                f"{where}: {objective.column} is missing in all {complete.height} complete trials;"
                " a front needs trials with all objectives"
            )
    if complete.filter(judged(objectives)).is_empty():
        raise AnalysisError(
            f"{where}: none of {complete.height} complete trials has all objectives; a front needs one"
        )
