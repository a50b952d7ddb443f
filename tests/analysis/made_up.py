"""Writes complete made-up studies: trials on a noisy trade-off, confirmations and rows of all tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from analysis.tables.schema import RESAMPLES_SCHEMA, SCHEMAS, to_table

RUNG, JOINT_EPOCHS, STAGE1_EPOCHS = 2, 6, 3
ATTACKERS = ("logistic_regression", "rbf_svm", "mlp")
FULL = (*ATTACKERS, "boosted_trees", "templates", "cnn")
METHODS = ("original", "random", "aia_without_t", "erasure")
RESAMPLES = 20

Row = dict[str, Any]


def write_study(
    directory: Path,
    search: int = 30,
    confirmed: int = 4,
    seeds: int = 3,
    *,
    rungs: bool = True,
    shift: float = 0.0,
) -> Path:
    """Write a study of `search` search trials and return its directory.

    The best `confirmed` designs are confirmed with `seeds` seeds each. With `rungs`, trials are also judged
    during training and some are stopped. `shift` is added to all matching AUCs.
    """
    random = np.random.default_rng(search)
    tables: dict[str, list[Row]] = {name: [] for name in SCHEMAS}
    rows = [*_baselines(random, shift), *_search(random, search, shift, rungs=rungs)]
    rows += _confirmations(random, rows, confirmed, seeds)
    for row in rows:
        tables["trials"].append(row)
        tables["epochs"] += _epochs(row, random, rungs=rungs)
        tables["attacks"] += _attacks(row, random)
        if row["status"] == "complete":
            _write(directory / "resamples" / f"{row['trial_id']}.parquet", _resamples(row), RESAMPLES_SCHEMA)
    for name, schema in SCHEMAS.items():
        for place, part in enumerate(_parts(tables[name])):
            _write(directory / "results" / name / f"part-{place:06d}.parquet", part, schema)
    (directory / "study.toml").write_text('dataset = "synthetic"\nsplit_seed = 0\njudge_version = 2\n')
    return directory


def _search(random: np.random.Generator, count: int, shift: float, *, rungs: bool) -> Iterator[Row]:
    for number in range(count):
        alpha, beta = np.exp(random.uniform(np.log([0.1, 0.01]), np.log([30, 10])))
        channel = str(random.choice(["none", "noise", "quantise"]))
        attacker = float(np.clip(0.55 + 0.35 / (1 + beta) + random.normal(0, 0.02), 0.5, 0.99))
        matching = 0.5 + 0.8 * (attacker - 0.5) + 0.02 * np.log10(alpha) + random.normal(0, 0.02) + shift
        status = "failed" if number % 17 == 16 else "complete"
        if rungs and number % 3 == 2 and status == "complete":
            status = "stopped_early"
        row = {
            "trial_id": f"trial-{number:05d}",
            "design_id": f"{number:012x}",
            "optuna_number": number,
            "phase": "search",
            "method": "aia",
            "seed": 0,
            "status": status,
            "alpha": float(alpha),
            "beta": float(beta),
            "channel": channel,
            "noise_sd": float(np.exp(random.uniform(-5, -1.5))) if channel == "noise" else None,
            "quantise_bits": int(random.integers(1, 9)) if channel == "quantise" else None,
            "erasure": bool(random.random() < 0.7),
            "stage1_reused": number > 0,
        }
        yield _finished(row, random, attacker, float(np.clip(matching, 0.4, 0.99)))


def _baselines(random: np.random.Generator, shift: float) -> Iterator[Row]:
    for place, method in enumerate(METHODS):
        row = {
            "trial_id": f"baseline-{method}", "design_id": f"b{place}", "phase": "baseline", "method": method,
            "seed": 0, "status": "complete", "stage1_reused": place > 0,
        }  # fmt: skip
        yield _finished(row, random, 0.9 - 0.08 * place, 0.8 - 0.05 * place + shift)


def _confirmations(random: np.random.Generator, rows: list[Row], designs: int, seeds: int) -> list[Row]:
    complete = [row for row in rows if row["phase"] == "search" and row["status"] == "complete"]
    best = sorted(complete, key=lambda row: row["attacker_auc_validation"] - row["matching_auc_validation"])
    return [
        _finished(
            {
                **row,
                "trial_id": f"confirm-{row['design_id']}-{seed}",
                "phase": "confirm", "optuna_number": None, "seed": seed,
            },
            random,
            min(row["attacker_auc_validation"] + 0.05 + random.normal(0, 0.01), 0.99),
            row["matching_auc_validation"] + random.normal(0, 0.01),
        )
        for seed in range(1, seeds + 1)
        for row in best[:designs]
    ]  # fmt: skip


def _finished(row: Row, random: np.random.Generator, attacker: float, matching: float) -> Row:
    if row["status"] == "failed":
        return {**row, "split_seed": 0, "wall_seconds": 1.0, "error": "out of memory"}
    figures = {"attacker_auc_validation": attacker, "matching_auc_validation": matching}
    bounds = {
        f"{name}{end}": value + by
        for name, value in figures.items()
        for end, by in (("_low", -0.02), ("_high", 0.02))
    }
    test = {
        "attacker_auc_test": attacker + random.normal(0, 0.01),
        "matching_auc_test": matching + random.normal(0, 0.01),
    }
    stopped = row["status"] == "stopped_early"
    spent = {"wall_seconds": (8.0 if stopped else 20.0) + random.gamma(2, 2), "stage1_wait_seconds": 0.0}
    return {
        **row,
        "split_seed": 0,
        **figures,
        **bounds,
        **test,
        **spent,
        "checkpoint": f"checkpoints/{row['trial_id']}",
    }


def _epochs(row: Row, random: np.random.Generator, *, rungs: bool) -> Iterator[Row]:
    for epoch in range(1, STAGE1_EPOCHS + 1):
        yield {"trial_id": row["trial_id"], "epoch": epoch, "stage": "autoencoder", "seconds": 1.0}
    if row["status"] == "failed":
        return
    last = RUNG if row["status"] == "stopped_early" else JOINT_EPOCHS
    for joint in range(1, last + 1):
        found: Row = {
            "trial_id": row["trial_id"],
            "epoch": STAGE1_EPOCHS + joint,
            "stage": "joint",
            "seconds": 2.0,
        }
        if joint == last or (rungs and joint == RUNG and row["phase"] == "search"):
            away = 0.0 if joint == last else abs(random.normal(0, 0.03))
            found |= {
                "attacker_auc_validation": min(row["attacker_auc_validation"] + away, 1.0),
                "matching_auc_validation": row["matching_auc_validation"] - away,
            }
        yield found


def _attacks(row: Row, random: np.random.Generator) -> Iterator[Row]:
    if row["status"] == "failed":
        return
    full = row["phase"] == "confirm"
    for attacker in FULL if full else ATTACKERS:
        for vantage in ("attack", "train") if full else ("attack",):
            auc = row["attacker_auc_validation"] - abs(random.normal(0, 0.02))
            yield {
                "trial_id": row["trial_id"], "split": "validation", "attribute": "gender", "attacker": attacker,
                "reads": "single_release", "vantage": vantage, "releases": 1, "train_images": 500,
                "setting": "usual", "folded_auc": max(auc, 0.5),
            }  # fmt: skip


def _resamples(row: Row) -> list[Row]:
    """Return the resamples of a trial; all trials share the deviations, as with the same judged people."""
    shared = np.random.default_rng(0).normal(0, 0.01, (2, RESAMPLES))
    return [
        {
            "trial_id": row["trial_id"], "split": "validation", "figure": figure, "resample": resample,
            "value": row[f"{figure}_validation"] + shared[place, resample],
        }
        for place, figure in enumerate(("attacker_auc", "matching_auc"))
        for resample in range(RESAMPLES)
    ]  # fmt: skip


def _parts(rows: list[Row]) -> list[list[Row]]:
    return [rows[start : start + 100] for start in range(0, len(rows), 100)]


def _write(path: Path, rows: list[Row], schema: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(to_table(rows, schema), path)
