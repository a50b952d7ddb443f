"""Builds made-up reproductions of the paper, in memory and on disk."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from analysis.paper.run import OTHER_FIGURES, RESAMPLED_FIGURES, SPLIT, Design, PaperRun
from analysis.tables.schema import RESAMPLES_SCHEMA, SCHEMAS
from analysis.uncertainty.resampled import seed_counts
from tests.table_version import TABLE_VERSION

RESAMPLES = 40
Figures = Mapping[str, float | Sequence[float]]


def run_of(figures: Mapping[Design, Figures], *, seeds: int = 3, people: float = 0.0) -> PaperRun:
    """Return a run of each design with each seed; a figure is a number, or one per seed, and 0.5 by default.

    `people` is the standard deviation of figures over resamples; all designs share the deviations.
    """
    shared = np.random.default_rng(0).normal(0, people, RESAMPLES)
    rows, resampled = [], {}
    for place, (design, own) in enumerate(figures.items()):
        for seed in range(seeds):
            trial_id = f"design-{place}-seed-{seed}"
            values = {
                name: float(np.broadcast_to(own.get(name, 0.5), seeds)[seed])
                for name in (*RESAMPLED_FIGURES, *OTHER_FIGURES)
            }
            rows.append(
                {"trial_id": trial_id, **design._asdict(), "seed": seed, "wall_seconds": 1.0, **values}
            )
            for name in RESAMPLED_FIGURES:
                resampled[trial_id, name] = np.r_[values[name], values[name] + shared]
    trials = pl.DataFrame(rows)
    return PaperRun(
        trials, len(rows), ("cpu",), tuple(range(seeds)), resampled, seed_counts(seeds, RESAMPLES)
    )


def write_run(write_study: Callable[..., Path], trials: pl.DataFrame, value: float = 0.7) -> Path:
    """Write a study directory with the `trials`, resamples of each complete trial, and matches; return it.

    Matcher `b` is the better one on validation, matcher `a` on test.
    """
    directory = write_study(trials)
    (directory / "resamples").mkdir()
    (directory / "results" / "matches").mkdir()
    complete = trials.filter(status="complete")["trial_id"]
    for trial_id in complete:
        rows = [
            {"trial_id": trial_id, "split": split, "figure": figure, "resample": resample, "value": resampled}
            for split in ("validation", SPLIT)
            for figure in RESAMPLED_FIGURES
            for resample, resampled in enumerate((value, None, value + 0.1))
        ]
        schema = pl.DataFrame(RESAMPLES_SCHEMA.empty_table()).schema
        pl.DataFrame(rows, schema=schema).write_parquet(directory / "resamples" / f"{trial_id}.parquet")
    matches = [
        {"trial_id": trial_id, "split": split, "matcher": matcher, "negatives": "any", "auc": auc, "accuracy": auc}
        for trial_id in complete
        for split, matcher, auc in (
            ("validation", "a", 0.6), ("validation", "b", 0.7), (SPLIT, "a", 0.8), (SPLIT, "b", 0.65),
        )
    ]  # fmt: skip
    schema = pl.DataFrame(SCHEMAS["matches"].empty_table()).schema
    pl.DataFrame(matches, schema=schema).write_parquet(
        directory / "results" / "matches" / "0.parquet", metadata=TABLE_VERSION
    )
    return directory
