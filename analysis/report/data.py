"""Collects what the script of a report page shows of a study, as a dictionary that JSON can hold."""

import math
import shlex
from collections.abc import Container, Mapping, Sequence
from typing import Any

import polars as pl

from analysis.fronts.candidates import candidates
from analysis.fronts.selection import SelectionCriteria
from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC, FrontierPoints, View
from analysis.report.designs import Designs
from analysis.report.images import reconstruction_images
from analysis.report.judgements import Judgements, attacks_by_design, matches_by_design
from analysis.summaries.wording import certificate_text, figure_text, value_text
from analysis.tables.beside import BESIDE_FIGURES
from analysis.tables.location import children
from analysis.tables.objectives import attribute_column
from analysis.tables.reader import StudyTables
from search_spaces.hyperparameters import HYPERPARAMETERS, MAX_ATTRIBUTES

SLIDER_STEP = 0.005  # AUC
FIGURES = (
    ("attacker AUC", "attacker_auc"),
    *((figure.title, figure.stem) for figure in BESIDE_FIGURES),
    ("matching AUC", "matching_auc"),
    ("matching AUC, same-gender pairs", "matching_auc_same_gender"),
)
ATTRIBUTES = tuple(  # shown with several attributes only: with one, its AUC is the attacker AUC
    (f"attacker AUC, attribute {number}", f"attacker_auc_attribute_{number}")
    for number in range(1, MAX_ATTRIBUTES + 1)
)


def report_data(
    study: StudyTables, trials: pl.DataFrame, shown: Designs, picture: FrontierPoints, attackers: View
) -> dict[str, Any]:
    """Return the data of the page's script.

    `trials` is the table of that name, `shown` its designs, `picture` the points of its frontier and `attackers` the
    range of the chart's attacker AUC. Keys of the result: `designs` (one entry per design, in drawing order); `order`
    (ids of the designs that a privacy limit chooses from, the preferred first, so that the first one within a limit
    is what `analysis.fronts.selection.select` returns); `limit` (the slider's range, step and start); `varied` and
    `fixed` (hyperparameters); `attackers` and `matchers` (names that designs refer to by index); `staircase`,
    `x_bars` and `y_bars` (lines of the chart).
    """
    eligible = candidates(trials).filter(pl.col("checkpoint").is_not_null())
    images = reconstruction_images(study.location, eligible)
    checkpoints = set(children(study.location / "checkpoints"))
    varied, fixed = _parameters(shown.rows)
    attacks, attacker_names = _with_name_indices(attacks_by_design(study, shown.members))
    matches, matcher_names = _with_name_indices(matches_by_design(study, shown.members))
    design_entries = [
        {
            **_design(row, varied, study.directory, checkpoints),
            "image": images.get(row["trial_id"]),
            "attacks": attacks.get(row["trial_id"], []),
            "matches": matches.get(row["trial_id"], []),
        }
        for row in shown.rows.iter_rows(named=True)
    ]
    steps = picture.staircase.select(ATTACKER_AUC, MATCHING_AUC).iter_rows()
    return {
        "designs": design_entries,
        "order": SelectionCriteria(max_attacker_auc=1.0).ranked(eligible)["trial_id"].to_list(),
        "limit": _limit(eligible, attackers),
        "varied": varied,
        "fixed": fixed,
        "attackers": attacker_names,
        "matchers": matcher_names,
        "staircase": [{"step": step, "x": x, "y": y} for step, (x, y) in enumerate(steps)],
        "x_bars": picture.x_bars.select(x="low", x2="high", y=MATCHING_AUC).to_dicts(),
        "y_bars": picture.y_bars.select(x=ATTACKER_AUC, y="low", y2="high").to_dicts(),
    }


def _design(
    row: Mapping[str, Any], varied: Sequence[str], directory: str, checkpoints: Container[str]
) -> dict[str, Any]:
    trial_id, checkpoint = row["trial_id"], row["checkpoint"]
    has_checkpoint = checkpoint is not None and checkpoint.rpartition("/")[2] in checkpoints
    parameters = [[name, value_text(row[name])] for name in varied if row[name] is not None]
    figures = [
        [title, *(figure_text(row, f"{name}_{split}") for split in ("validation", "test"))]
        for title, name in FIGURES
        + (ATTRIBUTES if row[attribute_column(2, "validation")] is not None else ())
    ]
    figures.append(["certified attacker AUC", certificate_text(row), "-"])
    return {
        "id": trial_id,
        "kind": row["kind"],
        "x": row[ATTACKER_AUC],
        "y": row[MATCHING_AUC],
        "attacker": f"{row[ATTACKER_AUC]:.3f}",
        "matching": f"{row[MATCHING_AUC]:.3f}",
        "seeds": row["seeds"],
        "parameters": parameters,
        "design": " ".join(f"{name}={value}" for name, value in parameters),
        "figures": [line for line in figures if line[1] != "-"],
        "fetch": (
            shlex.join(["aia-study", "fetch", directory, trial_id, "-o", trial_id])
            if has_checkpoint
            else None
        ),
    }


def _parameters(rows: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the names of the hyperparameters that vary among designs, and names and values of those that do not."""
    searched = rows.filter(pl.col("source") != "baseline")
    used = [name for name in HYPERPARAMETERS if searched[name].null_count() < searched.height]
    varied = [name for name in used if searched[name].n_unique() > 1]
    fixed = [name for name in used if name not in varied]
    return varied, [[name, value_text(searched[name].drop_nulls()[0])] for name in fixed]


def _with_name_indices(judgements: Judgements) -> tuple[dict[str, list[list[Any]]], list[str]]:
    """Return the judgements with indices in place of names, and the names: the page holds each name once."""
    names = sorted({one["name"] for ones in judgements.values() for one in ones})
    index = {name: place for place, name in enumerate(names)}
    rows = {
        design: [[index[one["name"]], one["validation"], one["test"]] for one in ones]
        for design, ones in judgements.items()
    }
    return rows, names


def _limit(eligible: pl.DataFrame, attackers: View) -> dict[str, float]:
    """Return the slider's `low` and `high`, which contain all designs, its `step`, and its `start` at the front's
    knee."""
    low = max(0.5, math.floor(attackers.low / SLIDER_STEP) * SLIDER_STEP)
    high = min(1.0, math.ceil(attackers.high / SLIDER_STEP) * SLIDER_STEP)
    start = high
    if not eligible.is_empty():
        start = (
            math.ceil(SelectionCriteria(knee=True).ranked(eligible)[ATTACKER_AUC][0] / SLIDER_STEP)
            * SLIDER_STEP
        )
    scale = {"low": low, "high": high, "start": start, "step": SLIDER_STEP}
    return {name: round(value, 3) for name, value in scale.items()}
