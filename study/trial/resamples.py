"""A trial's figures in each resample of the judged people: what paired differences of trials are made from."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from aia_models.judging.in_loop import InLoopFigures
from aia_models.judging.judge import Judgement
from analysis.atomic_write import atomic_write
from analysis.tables.schema import RESAMPLES_SCHEMA, to_table


def write_resamples(
    path: Path, trial_id: str, judgement: Judgement, in_loop: Mapping[str, InLoopFigures]
) -> None:
    """Writes the file at `path`, which appears whole and replaces an earlier one of the same trial."""
    rows = [
        {"trial_id": trial_id, "split": split, "figure": figure, "resample": resample, "value": value}
        for split, figure, bootstrap_samples in _figures(judgement, in_loop)
        for resample, value in enumerate(_finite_or_null(bootstrap_samples))
    ]
    path.parent.mkdir(exist_ok=True)
    table = to_table(rows, RESAMPLES_SCHEMA)
    # Values hardly repeat: split into bytes they take four fifths of what a dictionary makes of them.
    named = [name for name in table.column_names if name != "value"]
    with atomic_write(path) as aside:
        pq.write_table(
            table,
            aside,
            compression="zstd",
            use_dictionary=named,  # pyright: ignore[reportArgumentType]  the stubs know no list
            column_encoding={"value": "BYTE_STREAM_SPLIT"},
        )


def _figures(
    judgement: Judgement, in_loop: Mapping[str, InLoopFigures]
) -> Iterator[tuple[str, str, np.ndarray]]:
    for split, figures in in_loop.items():
        matcher = judgement.best_match(split).matcher
        yield split, "attacker_auc", judgement.attack_bootstrap_samples[judgement.strongest_attack(split).key]
        yield split, "matching_auc", judgement.match_bootstrap_samples[split, matcher]
        for figure in fields(figures):
            yield split, f"in_loop_{figure.name}", getattr(figures, figure.name).bootstrap_samples


def _finite_or_null(bootstrap_samples: np.ndarray) -> list[Any]:
    return [float(value) if np.isfinite(value) else None for value in bootstrap_samples]
