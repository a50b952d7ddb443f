"""A made-up study with all that a report shows: trials of every kind, attacks, matches, reconstructions."""

import io
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from analysis.tables.schema import EXAMPLES, SCHEMAS
from tests.table_version import TABLE_VERSION

TABLES = {name: pl.DataFrame(schema.empty_table()).schema for name, schema in SCHEMAS.items()}
FEW = [(name, "attack", "single_release") for name in ("logistic_regression", "rbf_svm", "mlp")]
MANY = list(
    product(
        ("logistic_regression", "rbf_svm", "mlp", "boosted_trees", "templates", "cnn", "decoded_cnn"),
        ("attack", "train"),
        ("single_release", "mean_of_ten"),
    )
)
STATUSES = ("complete", "complete", "complete", "stopped_early", "failed", "diverged")
ERROR = "RuntimeError: </script><script>document.title = 'taken over'</script> <b>&amp;</b>"
Row = dict[str, Any]


def write_study(directory: Path, count: int, *, many: bool = False, confirmed: bool = False) -> Path:
    """Write a study of `count` search trials of every status and four baselines; return its directory.

    Every complete trial has a checkpoint. With `many` more attackers judge; with `confirmed` the
    first three designs have two more trainings each.
    """
    rng = np.random.default_rng(count)
    (directory / "study.toml").parent.mkdir(parents=True)
    (directory / "study.toml").touch()
    rows = [_search(number, rng) for number in range(count)]
    rows += [
        _baseline(place, method)
        for place, method in enumerate(("original", "random", "aia_without_t", "erasure"))
    ]
    if confirmed:
        rows += [_confirming(row, seed) for row in rows[:3] for seed in (1, 2)]
    add_part(directory, rows, MANY if many else FEW)
    return directory


def add_part(directory: Path, rows: list[Row], attackers: list[tuple[str, str, str]] = FEW) -> None:
    """Add a part with these trials to every table, and write their checkpoints."""
    rng = np.random.default_rng(len(rows))
    judged = [row for row in rows if row.get("attacker_auc_validation") is not None]
    tables = {
        "attacks": [attack for row in judged for attack in _attacks(row, attackers)],
        "matches": [match for row in judged for match in _matches(row)],
        "trials": rows,
    }
    image = _image(rng)
    for row in judged:
        if row["checkpoint"]:
            folder = directory / row["checkpoint"]
            folder.mkdir(parents=True)
            (folder / EXAMPLES).write_bytes(image)
    for name, content in tables.items():
        folder = directory / "results" / name
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{len(list(folder.iterdir()))}.parquet"
        pl.DataFrame(content, schema=TABLES[name]).write_parquet(part, metadata=TABLE_VERSION)


def trial(number: int, attacker: float, matching: float, **columns: Any) -> Row:
    """Return the row of a complete search trial with these AUCs and a checkpoint."""
    name = f"trial-{number:05d}"
    return {
        "trial_id": name,
        "design_id": f"design-{number}",
        "optuna_number": number,
        "phase": "search",
        "method": "aia",
        "seed": 0,
        "split_seed": 0,
        "status": "complete",
        "alpha": (number % 10) / 10,
        "beta": (number % 7) / 10,
        "erasure": True,
        "checkpoint": f"checkpoints/{name}",
        "torch_version": "2.14.1",
        "device": "cpu",
        **_figures(attacker, matching),
        **columns,
    }


def _search(number: int, rng: np.random.Generator) -> Row:
    attacker = 0.55 + 0.25 * rng.random()
    row = trial(number, attacker, 0.5 + 0.5 * (attacker - 0.5) + 0.05 * rng.random())
    status = STATUSES[number % len(STATUSES)]
    if status == "complete":
        return row
    kept = {} if status == "stopped_early" else dict.fromkeys(_figures(0, 0))
    error = {"error": ERROR} if status == "failed" else {}
    return {**row, "status": status, "checkpoint": None, **kept, **error}


def _baseline(place: int, method: str) -> Row:
    name = f"baseline-{method}"
    names = {"trial_id": name, "design_id": name, "phase": "baseline", "method": method}
    row = trial(0, 0.8 - 0.06 * place, 0.7 - 0.02 * place, **names, checkpoint=f"checkpoints/{name}")
    return {**row, "optuna_number": None, "alpha": None, "beta": None}


def _confirming(row: Row, seed: int) -> Row:
    name = f"{row['design_id']}-seed-{seed}"
    figures = _figures(row["attacker_auc_validation"] + 0.01 * seed, row["matching_auc_validation"])
    return {
        **row,
        "trial_id": name,
        "phase": "confirm",
        "seed": seed,
        "checkpoint": f"checkpoints/{name}",
        **figures,
    }


def _figures(attacker: float, matching: float) -> Row:
    values = {"attacker_auc": attacker, "matching_auc": matching}
    ends = {"": 0.0, "_low": -0.02, "_high": 0.02}
    return {
        f"{name}_{split}{end}": value + shift
        for (name, value), split, (end, shift) in product(
            values.items(), ("validation", "test"), ends.items()
        )
    }


def _attacks(row: Row, attackers: list[tuple[str, str, str]]) -> list[Row]:
    return [
        {
            "trial_id": row["trial_id"],
            "split": split,
            "attribute": "gender",
            "attacker": attacker,
            "reads": reads,
            "vantage": vantage,
            "releases": 10 if reads == "mean_of_ten" else 1,
            "train_images": images,
            "setting": "0.1",
            # The strongest attacker has the AUC of the trial's row, and a lower one with half of the images.
            "folded_auc": max(
                0.5, row[f"attacker_auc_{split}"] - 0.01 * place - (0.1 if images == 100 else 0)
            ),
        }
        for split in ("validation", "test")
        for place, (attacker, vantage, reads) in enumerate(attackers)
        for images in (100, 200)
    ]


def _matches(row: Row) -> list[Row]:
    return [
        {
            "trial_id": row["trial_id"],
            "split": split,
            "matcher": matcher,
            "negatives": negatives,
            "auc": row[f"matching_auc_{split}"] - 0.01 * place,
            "pairs": 100,
        }
        for split in ("validation", "test")
        for place, (matcher, negatives) in enumerate(product(("siamese", "cosine"), ("any", "same_gender")))
    ]


def _image(rng: np.random.Generator) -> bytes:
    content = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (64, 256), dtype=np.uint8)).save(content, "png")
    return content.getvalue()
