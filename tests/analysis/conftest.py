"""Fixtures that build `trials` tables of made-up figures in the real schema."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analysis.tables.schema import SCHEMAS
from tests.table_version import TABLE_VERSION

TRIALS = pl.DataFrame(SCHEMAS["trials"].empty_table()).schema
COMPLETE = {"phase": "search", "method": "aia", "seed": 0, "split_seed": 0, "status": "complete"}

Rows = list[dict[str, Any]]


def _trials(rows: Rows) -> pl.DataFrame:
    """Return a `trials` frame of the rows.

    A column that a row leaves out has the value of a complete search trial, or null.
    """
    filled = [
        {"trial_id": f"t{index:04d}", "design_id": f"d{index:04d}", **COMPLETE, **row}
        for index, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema=TRIALS)


@pytest.fixture(scope="session")
def trials() -> Callable[[Rows], pl.DataFrame]:
    return _trials


@pytest.fixture(scope="session")
def points() -> Callable[..., pl.DataFrame]:
    """Return a function that builds complete search trials from (attacker, matching) pairs."""

    def build(*pairs: tuple[float | None, float | None]) -> pl.DataFrame:
        columns = ("attacker_auc_validation", "matching_auc_validation")
        return _trials([dict(zip(columns, pair, strict=True)) for pair in pairs])

    return build


@pytest.fixture(scope="session")
def searched() -> Callable[..., pl.DataFrame]:
    """Return a function that builds `count` search trials of every status and four baselines.

    The trials lie along a noisy trade-off and have intervals.
    """

    def build(count: int, *, baselines: bool = True, stops: bool = True) -> pl.DataFrame:
        generator = np.random.default_rng(count)
        statuses = ["complete", "complete", "complete", "stopped_early", "failed", "diverged"]
        rows = []
        for number in range(count):
            status = statuses[number % len(statuses)] if stops else "complete"
            attacker = 0.55 + 0.25 * generator.random()
            matching = 0.5 + 0.5 * (attacker - 0.5) + 0.05 * generator.random()
            judged = _figures(attacker, matching) if status in ("complete", "stopped_early") else {}
            error = {"error": "out of memory"} if status == "failed" else {}
            rows.append({"optuna_number": number, "status": status, "alpha": 5.0, **judged, **error})
        methods = ["original", "random", "aia_without_t", "erasure"] if baselines else []
        for index, method in enumerate(methods):
            figures = _figures(0.8 - 0.06 * index, 0.7 - 0.02 * index)
            rows.append({"phase": "baseline", "method": method, **figures})
        return _trials(rows)

    return build


def _figures(attacker: float, matching: float) -> dict[str, Any]:
    return {
        "attacker_auc_validation": attacker,
        "attacker_auc_validation_low": attacker - 0.02,
        "attacker_auc_validation_high": attacker + 0.02,
        "matching_auc_validation": matching,
        "matching_auc_validation_low": matching - 0.02,
        "matching_auc_validation_high": matching + 0.02,
        "checkpoint": "checkpoints/some",
    }


@pytest.fixture
def study_directory(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a study directory with the given frames as parts of `trials`."""

    def write(*parts: pl.DataFrame, name: str = "study") -> Path:
        directory = tmp_path / name
        (directory / "results" / "trials").mkdir(parents=True)
        (directory / "study.toml").touch()
        for index, part in enumerate(parts):
            part.write_parquet(directory / "results" / "trials" / f"{index}.parquet", metadata=TABLE_VERSION)
        return directory

    return write
