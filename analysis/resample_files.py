"""Figures of trainings in each resample of the judged people, as the study stored them beside its results."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.locations import Location, here
from analysis.resampled import Resampled


def read_resamples(
    study: Location, trials: pl.DataFrame, split: str, figures: Sequence[str]
) -> Mapping[tuple[str, str], Resampled]:
    """Return each figure of each trial on the split, alone and in each resample, by `trial_id` and figure.

    `trials` holds `trial_id` and a column per figure, named without its split. AnalysisError where a trial's file is
    missing or damaged.
    """
    with here(study / "resamples") as folder:
        return dict(_read(folder, trials, split, figures))


def _read(
    folder: Path, trials: pl.DataFrame, split: str, figures: Sequence[str]
) -> Iterator[tuple[tuple[str, str], Resampled]]:
    for row in trials.with_columns(pl.col(figures).fill_null(np.nan)).iter_rows(named=True):
        path = folder / f"{row['trial_id']}.parquet"
        try:
            draws = pl.read_parquet(path, glob=False).filter(
                pl.col("split") == split, pl.col("figure").is_in(figures)
            )
        except (OSError, pl.exceptions.PolarsError) as error:
            raise AnalysisError(
                f"{path} cannot be read: a trial's resamples lie there; run it again in a new directory"
            ) from error
        for (figure,), rows in draws.sort("resample").group_by("figure"):
            series = rows["value"].fill_null(np.nan).to_numpy()
            yield (row["trial_id"], str(figure)), np.r_[row[str(figure)], series]
