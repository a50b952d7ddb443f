"""Everything that a report's script shows of a study, ready for JSON."""

import math
import shlex
from collections.abc import Container, Mapping, Sequence
from typing import Any

import polars as pl

from analysis.fronts.candidates import candidates
from analysis.fronts.selection import SelectionCriteria
from analysis.plots.elements.frontier_points import Frontier, View, X, Y
from analysis.report.designs import Designs
from analysis.report.images import examples
from analysis.report.judgements import Judgements, attacks_by_design, matches_by_design
from analysis.summaries.wording import figure_text, value_text
from analysis.tables.location import children
from analysis.tables.objectives import MAX_ATTRIBUTES, attribute_column
from analysis.tables.reader import StudyTables
from search_spaces.hyperparameters import HYPERPARAMETERS

STEP = 0.005  # AUC, of the slider
FIGURES = (
    ("attacker AUC", "attacker_auc"),
    ("attacker AUC, mean of 10 releases", "attacker_auc_10_releases"),
    ("matching AUC", "matching_auc"),
    ("matching AUC, same-gender pairs", "matching_auc_same_gender"),
)
ATTRIBUTES = tuple(  # where there are several; of one it is the attacker AUC
    (f"attacker AUC, attribute {number}", f"attacker_auc_attribute_{number}")
    for number in range(1, MAX_ATTRIBUTES + 1)
)


def report_data(
    study: StudyTables, trials: pl.DataFrame, shown: Designs, picture: Frontier, attackers: View
) -> dict[str, Any]:
    """Return what the page's script works with.

    `designs` are in drawing order; `order` lists those that a privacy limit chooses from, the preferred first, so
    that the first within a limit is what `analysis.selection.select` returns. `limit` is the slider's scale, which
    covers `attackers`.
    """
    eligible = candidates(trials).filter(pl.col("checkpoint").is_not_null())
    images = examples(study.location, eligible)
    kept = set(children(study.location / "checkpoints"))
    varied, fixed = _parameters(shown.rows)
    attacks, attacker_names = _numbered(attacks_by_design(study, shown.members))
    matches, matcher_names = _numbered(matches_by_design(study, shown.members))
    described = [
        {
            **_design(row, varied, study.directory, kept),
            "image": images.get(row["trial_id"]),
            "attacks": attacks.get(row["trial_id"], []),
            "matches": matches.get(row["trial_id"], []),
        }
        for row in shown.rows.iter_rows(named=True)
    ]
    steps = picture.staircase.select(X, Y).iter_rows()
    return {
        "designs": described,
        "order": SelectionCriteria(max_attacker_auc=1.0).ordered(eligible)["trial_id"].to_list(),
        "limit": _limit(eligible, attackers),
        "varied": varied,
        "fixed": fixed,
        "attackers": attacker_names,
        "matchers": matcher_names,
        "staircase": [{"step": step, "x": x, "y": y} for step, (x, y) in enumerate(steps)],
        "x_bars": picture.x_bars.select(x="low", x2="high", y=Y).to_dicts(),
        "y_bars": picture.y_bars.select(x=X, y="low", y2="high").to_dicts(),
    }


def _design(
    row: Mapping[str, Any], varied: Sequence[str], directory: str, checkpoints: Container[str]
) -> dict[str, Any]:
    trial_id, checkpoint = row["trial_id"], row["checkpoint"]
    kept = checkpoint is not None and checkpoint.rpartition("/")[2] in checkpoints
    parameters = [[name, value_text(row[name])] for name in varied if row[name] is not None]
    figures = [
        [title, *(figure_text(row, f"{name}_{split}") for split in ("validation", "test"))]
        for title, name in FIGURES
        + (ATTRIBUTES if row[attribute_column(2, "validation")] is not None else ())
    ]
    return {
        "id": trial_id,
        "kind": row["kind"],
        "x": row[X],
        "y": row[Y],
        "attacker": f"{row[X]:.3f}",
        "matching": f"{row[Y]:.3f}",
        "seeds": row["seeds"],
        "parameters": parameters,
        "design": " ".join(f"{name}={value}" for name, value in parameters),
        "figures": [line for line in figures if line[1] != "-"],
        "fetch": shlex.join(["aia-study", "fetch", directory, trial_id, "-o", trial_id]) if kept else None,
    }


def _parameters(rows: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Names of the hyperparameters in which designs differ, and names and values of those in which none does."""
    own = rows.filter(pl.col("source") != "baseline")
    used = [name for name in HYPERPARAMETERS if own[name].null_count() < own.height]
    varied = [name for name in used if own[name].n_unique() > 1]
    fixed = [name for name in used if name not in varied]
    return varied, [[name, value_text(own[name].drop_nulls()[0])] for name in fixed]


def _numbered(judgements: Judgements) -> tuple[dict[str, list[list[Any]]], list[str]]:
    """The judgements with numbers in place of names, and the names: each stands in the page once."""
    names = sorted({one["name"] for ones in judgements.values() for one in ones})
    number = {name: place for place, name in enumerate(names)}
    rows = {
        design: [[number[one["name"]], one["validation"], one["test"]] for one in ones]
        for design, ones in judgements.items()
    }
    return rows, names


def _limit(eligible: pl.DataFrame, attackers: View) -> dict[str, float]:
    """The slider's ends on either side of what is shown, its step, and where it begins: at the front's knee."""
    low = max(0.5, math.floor(attackers.low / STEP) * STEP)
    high = min(1.0, math.ceil(attackers.high / STEP) * STEP)
    start = high
    if not eligible.is_empty():
        start = math.ceil(SelectionCriteria(knee=True).ordered(eligible)[X][0] / STEP) * STEP
    scale = {"low": low, "high": high, "start": start, "step": STEP}
    return {name: round(value, 3) for name, value in scale.items()}
