"""Reads what a reproduction of the paper measured: the figures of each design on test identities, over its seeds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.tables.reader import StudyTables, read_matches, read_trials
from analysis.uncertainty.resample_files import read_resamples
from analysis.uncertainty.resampled import Resampled, mean_over_seeds, seed_counts

SPLIT = "test"  # the designs are fixed beforehand, so that nothing is chosen by test figures

RESAMPLED_FIGURES = (
    "in_loop_adversary_accuracy",
    "in_loop_adversary_balanced_accuracy",
    "in_loop_adversary_auc",
    "in_loop_matcher_accuracy",
    "in_loop_matcher_auc",
    "attacker_auc",
    "matching_auc",
)
OTHER_FIGURES = ("attacker_accuracy", "attacker_balanced_accuracy", "matching_accuracy", "majority_share")


class Design(NamedTuple):
    """What was trained: a method with its weights α and β of Eq. 8, which baselines do not have."""

    method: str
    alpha: float | None = None
    beta: float | None = None


ORIGINAL, RANDOM = Design("original"), Design("random")
AIA, AIA_WITHOUT_T = Design("aia", 0.5, 0.5), Design("aia", 0.0, 0.5)
FIGURE_3_DESIGN = Design("aia", 0.2, 0.5)  # Figure 3: the paper gives alpha (section 5.5), not beta


@dataclass(frozen=True)
class PaperRun:
    """The complete trials of a reproduction, one row per design and seed, with their figures on test identities.

    `trials` has `trial_id`, `method`, `alpha`, `beta`, `seed`, `wall_seconds` and a column per figure, without the
    split. `planned_count` is the number of planned trainings. `resampled[trial_id, figure]` is float64
    `[1 + resample]`: the figure of one training, then its value in each resample of the people. `seed_counts` is
    integer `[resample, seed]`: how often each of `seeds` is drawn in each resample.
    """

    trials: pl.DataFrame
    planned_count: int
    devices: tuple[str, ...]
    seeds: tuple[int, ...]
    resampled: Mapping[tuple[str, str], Resampled]
    seed_counts: np.ndarray

    def designs(self) -> Iterator[Design]:
        """Yields every design that was measured, sorted by method, α and β."""
        keys = self.trials.select("method", "alpha", "beta").unique().sort("method", "alpha", "beta")
        return (Design(*row) for row in keys.iter_rows())

    def over_seeds(self, design: Design, figure: str) -> Resampled:
        """Return the mean of a figure over the design's seeds with its resamples of seeds and people, float64
        `[1 + resample]`; NaN if not measured."""
        rows = self.rows_of(design).select("seed", "trial_id")
        values = {self.seeds.index(seed): self.resampled[trial, figure] for seed, trial in rows.iter_rows()}
        return mean_over_seeds(values, self.seed_counts)

    def rows_of(self, design: Design) -> pl.DataFrame:
        """Return the design's rows of `trials`, one per seed, in rising order of the seed."""
        same = [pl.col(name).eq_missing(value) for name, value in design._asdict().items()]
        return self.trials.filter(same).sort("seed")


def read_paper_run(study: StudyTables) -> PaperRun:
    """Return the reproduction that a study holds: its complete trials outside search and confirmation.

    Raises AnalysisError if none of them is complete or resamples are missing.
    """
    planned = read_trials(study).filter(pl.col("optuna_number").is_null(), pl.col("phase") != "confirm")
    complete = planned.filter(pl.col("status") == "complete")
    if complete.is_empty():
        raise AnalysisError(
            f"{study.directory}: none of {planned.height} trials is complete; figures need at least one complete trial"
        )
    trials = complete.join(_matching_accuracy(study), on="trial_id", how="left").select(
        "trial_id",
        "method",
        "alpha",
        "beta",
        "seed",
        "wall_seconds",
        *(f"{figure}_{SPLIT}" for figure in (*RESAMPLED_FIGURES, *OTHER_FIGURES)),
    )
    trials = trials.rename({f"{figure}_{SPLIT}": figure for figure in (*RESAMPLED_FIGURES, *OTHER_FIGURES)})
    resampled = read_resamples(study.location, trials, SPLIT, RESAMPLED_FIGURES)
    seeds = tuple(trials["seed"].unique().sort())
    resamples = len(next(iter(resampled.values()))) - 1
    devices = tuple(complete["device"].drop_nulls().unique().sort())
    return PaperRun(trials, planned.height, devices, seeds, resampled, seed_counts(len(seeds), resamples))


def _matching_accuracy(study: StudyTables) -> pl.DataFrame:
    """Return one row per trial: `trial_id`, and the test accuracy of the fresh matcher that is best on validation."""
    any_negatives = read_matches(study).filter(pl.col("negatives") == "any")
    best = (
        any_negatives.filter(pl.col("split") == "validation")
        .sort("auc", descending=True, maintain_order=True)
        .unique("trial_id", keep="first", maintain_order=True)
    )
    on_test = any_negatives.filter(pl.col("split") == SPLIT)
    return on_test.join(best.select("trial_id", "matcher"), on=["trial_id", "matcher"]).select(
        "trial_id", pl.col("accuracy").alias(f"matching_accuracy_{SPLIT}")
    )
