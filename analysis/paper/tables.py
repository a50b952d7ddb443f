"""Builds Table 1, the points of Figure 2 and the verdicts on claims as frames, which are then saved as Parquet."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import polars.selectors as cs

from analysis.paper.claims import FIGURE_2, FIXED_WEIGHT, FRESH, TABLE_1, CheckedClaim, Reading
from analysis.paper.run import (
    AIA,
    AIA_WITHOUT_T,
    ORIGINAL,
    OTHER_FIGURES,
    RANDOM,
    RESAMPLED_FIGURES,
    Design,
    PaperRun,
)
from analysis.uncertainty.resampled import Estimate, estimate

METHODS = {"Original": ORIGINAL, "Random": RANDOM, "AIA\\T": AIA_WITHOUT_T, "AIA": AIA}
PEOPLE, PEOPLE_AND_SEEDS, SEEDS = "people", "people and seeds", "range of seeds"  # what an interval covers

# Accuracies in Table 1 of the paper: (gender inference, utility) on CelebA, then on VGG.
PUBLISHED = {
    "Original": ((0.7801, 0.8887), (0.8121, 0.9131)),
    "Random": ((0.5212, 0.5689), (0.5134, 0.5367)),
    "AIA\\T": ((0.6253, 0.6934), (0.6567, 0.6629)),
    "AIA": ((0.6496, 0.7864), (0.6813, 0.7796)),
}

_ESTIMATE = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_TABLE_1 = {
    "method": pl.String, "figure": pl.String, **_ESTIMATE, "interval": pl.String, "seeds": pl.Int64,
    "paper_celeba": pl.Float64, "paper_vgg": pl.Float64,
}  # fmt: skip
_FIGURE_2 = {
    "panel": pl.String, "method": pl.String, "alpha": pl.Float64, "beta": pl.Float64, "figure": pl.String,
    "mean": pl.Float64, "low": pl.Float64, "high": pl.Float64, "seeds": pl.Int64,
}  # fmt: skip
_CLAIMS = {
    "claim": pl.String, "where": pl.String, "reading": pl.String, "excess": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "unit": pl.String, "verdict": pl.String,
}  # fmt: skip


def table_1(run: PaperRun) -> pl.DataFrame:
    """Return one row per method and figure on test identities.

    Columns: `method`, `figure`, `value` (mean over seeds, AUC or accuracy), its interval `low` and `high`, `interval`
    (what it covers: "people", "people and seeds" or "range of seeds"), `seeds` (their number), and the paper's
    accuracies `paper_celeba` and `paper_vgg`, null for figures that it does not give. A method that was not measured
    has nulls.
    """
    rows = [
        {
            "method": name,
            "figure": figure,
            **values,
            "seeds": run.rows_of(design).height,
            **_published(name, figure),
        }
        for name, design in METHODS.items()
        for figure, values in _figures(run, design)
    ]
    return pl.DataFrame(rows, schema=_TABLE_1)


def figure_2(run: PaperRun) -> pl.DataFrame:
    """Return one row per point of Figure 2: panel "a" over β at α = 0.5, panel "b" over α at β = 0.5.

    Columns: `panel`, `method`, `alpha`, `beta` (null for baselines, which are in both panels), `figure`, `mean` (AUC
    over seeds), its 95 % interval `low` and `high`, and `seeds` (their number).
    """
    baselines = [(panel, name, METHODS[name]) for panel in "ab" for name in ("Original", "Random")]
    along = [
        (panel, "AIA", design)
        for panel, held in (("a", "alpha"), ("b", "beta"))
        for design in run.designs()
        if getattr(design, held) == FIXED_WEIGHT
    ]
    rows = [
        {
            "panel": panel, "method": name, "alpha": design.alpha, "beta": design.beta, "figure": figure,
            "mean": point.value, "low": point.low, "high": point.high, "seeds": run.rows_of(design).height,
        }
        for panel, name, design in (*along, *baselines)
        for reading in (FIGURE_2, FRESH)
        for figure in (reading.inference, reading.utility)
        for point in [estimate(run.over_seeds(design, figure))]
    ]  # fmt: skip
    return _nan_to_null(pl.DataFrame(rows, schema=_FIGURE_2))


def claims_table(checked: Sequence[CheckedClaim]) -> pl.DataFrame:
    """Return one row per checked claim and reading.

    Columns: `claim`, `where` (in the paper), `reading`, `excess` with its 95 % interval `low` and `high` in `unit`
    (above 0 agrees with the paper), and `verdict`.
    """
    rows = [
        {
            "claim": one.claim.statement, "where": one.claim.where, "reading": one.reading.name,
            "excess": one.excess.value, "low": one.excess.low, "high": one.excess.high,
            "unit": one.claim.unit, "verdict": one.verdict,
        }
        for one in checked
    ]  # fmt: skip
    return _nan_to_null(pl.DataFrame(rows, schema=_CLAIMS))


def _figures(run: PaperRun, design: Design) -> list[tuple[str, dict[str, object]]]:
    covered = PEOPLE if len(run.seeds) == 1 else PEOPLE_AND_SEEDS
    estimates = [(figure, estimate(run.over_seeds(design, figure)), covered) for figure in RESAMPLED_FIGURES]
    estimates += [(figure, _range(run.rows_of(design)[figure]), SEEDS) for figure in OTHER_FIGURES]
    return [
        (figure, {**{name: _known(getattr(one, name)) for name in _ESTIMATE}, "interval": interval})
        for figure, one, interval in estimates
    ]


def _range(over_seeds: pl.Series) -> Estimate:
    """Return the mean over seeds, with the smallest and the largest value as bounds; NaN if nothing was measured."""
    values = over_seeds.drop_nulls().to_numpy()
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan)
    return Estimate(float(values.mean()), float(values.min()), float(values.max()))


def _published(method: str, figure: str) -> dict[str, float | None]:
    reading: Reading = TABLE_1
    if figure not in (reading.inference, reading.utility):
        return {"paper_celeba": None, "paper_vgg": None}
    place = (reading.inference, reading.utility).index(figure)
    celeba, vgg = PUBLISHED[method]
    return {"paper_celeba": celeba[place], "paper_vgg": vgg[place]}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _nan_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cs.float().fill_nan(None)) if frame.height else frame
