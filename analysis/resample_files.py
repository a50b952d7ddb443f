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
    wanted = trials["trial_id"].to_list()
    known = {
        (trial_id, figure): value
        for figure in figures
        for trial_id, value in zip(wanted, trials[figure].fill_null(np.nan), strict=True)
    }
    with here(study / "resamples") as folder:
        paths = [folder / f"{trial_id}.parquet" for trial_id in wanted]
        draws = _read(paths, (pl.col("split") == split) & pl.col("figure").is_in(figures)) if paths else []
    return {key: np.r_[known[key], values] for key, values in draws}


def _read(paths: list[Path], kept: pl.Expr) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    try:
        draws = pl.scan_parquet(paths, glob=False).filter(kept).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise AnalysisError(
            f"{_unreadable(paths)} cannot be read: a trial's resamples lie there; run it again in a new directory"
        ) from error
    for (trial_id, figure), rows in draws.sort("resample").group_by("trial_id", "figure"):
        yield (str(trial_id), str(figure)), rows["value"].fill_null(np.nan).to_numpy()


def _unreadable(paths: list[Path]) -> Path:
    """The first of the files that cannot be read; where each can be read alone, the folder of all."""
    for path in paths:
        try:
            pl.read_parquet(path, glob=False)
        except (OSError, pl.exceptions.PolarsError):
            return path
    return paths[0].parent
