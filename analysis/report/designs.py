"""Collects the designs that a report shows: search trials, confirmed designs and baselines, each with its kind."""

from dataclasses import dataclass

import polars as pl

from analysis.fronts.candidates import FIGURE_COLUMNS, candidates, is_judged
from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC
from analysis.plots.pictures.frontier import BASELINES, CONFIRMED, FRONT, SEARCH_TRIAL, STOPPED

DOMINATED = "confirmed, not optimal"
NAMES = {method: name for method, (_, name) in BASELINES.items()}
KINDS = (SEARCH_TRIAL, STOPPED, DOMINATED, FRONT, CONFIRMED, *NAMES.values())  # in drawing order


@dataclass(frozen=True)
class Designs:
    """The designs of a report, and the trials that each of them averages.

    `rows` are rows of `trials` with `source`, `seeds` and `kind` (one of KINDS), in drawing order: a design that
    hides others comes later. `members` has one row per trial that counts: its `trial_id`, and as `design` the
    `trial_id` of the row in `rows` that averages it.
    """

    rows: pl.DataFrame
    members: pl.DataFrame


def designs(trials: pl.DataFrame, front: pl.DataFrame) -> Designs:
    """Return the designs of a `trials` frame, whose front is `front`; rows without both AUCs are left out.

    Each search trial is a design. Confirmed designs and designs of baselines are means over their judged seeds.
    """
    searched = trials.filter(
        pl.col("phase") == "search", pl.col(ATTACKER_AUC).is_finite(), pl.col(MATCHING_AUC).is_finite()
    )
    search = searched.with_columns(source=pl.lit("search"), seeds=pl.lit(1, pl.UInt32))
    confirming = trials.filter(pl.col("phase") == "confirm", is_judged())
    confirmed = candidates(confirming)
    references = trials.filter(pl.col("phase") == "baseline", is_judged())
    baselines = _over_seeds(references)
    rows = pl.concat([search, confirmed, baselines], how="vertical_relaxed").with_columns(kind=_kind(front))
    members = [
        search.select("trial_id", design="trial_id"),
        _members(confirming, confirmed, "design_id"),
        _members(references, baselines, "design_id"),
    ]
    return Designs(rows.sort(pl.col("kind").cast(pl.Enum(KINDS)), "trial_id"), pl.concat(members))


def _over_seeds(baselines: pl.DataFrame) -> pl.DataFrame:
    return (
        baselines.sort("trial_id")
        .group_by("design_id", maintain_order=True)
        .agg(
            (~FIGURE_COLUMNS).exclude("design_id").first(),
            FIGURE_COLUMNS.fill_nan(None).mean(),
            seeds=pl.len(),
        )
        .select(*baselines.columns, pl.lit("baseline").alias("source"), "seeds")
    )


def _members(trials: pl.DataFrame, rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return trials.select("trial_id", key).join(rows.select(key, design="trial_id"), on=key).drop(key)


def _kind(front: pl.DataFrame) -> pl.Expr:
    on_front = pl.col("trial_id").is_in(front["trial_id"].to_list())
    confirmed = pl.col("source") == "confirm"
    return (
        pl.when(pl.col("source") == "baseline")
        .then(pl.col("method").replace(NAMES))
        .when(on_front & confirmed)
        .then(pl.lit(CONFIRMED))
        .when(on_front)
        .then(pl.lit(FRONT))
        .when(confirmed)
        .then(pl.lit(DOMINATED))
        .when(pl.col("status") == "stopped_early")
        .then(pl.lit(STOPPED))
        .otherwise(pl.lit(SEARCH_TRIAL))
    )
