"""Figures of trainings in each resample of the judged people, as the study stored them beside its results."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.tables.location import Location, local_copy
from analysis.uncertainty.resampled import Resampled

REMEDY = "a trial's resamples lie there; run it again in a new directory"


def read_resamples(
    study: Location, trials: pl.DataFrame, split: str, figures: Sequence[str]
) -> Mapping[tuple[str, str], Resampled]:
    """Return each figure of each trial on the split, alone and in each resample, by `trial_id` and figure.

    `trials` holds `trial_id` and a column per figure, named without its split. AnalysisError where a trial's file is
    missing or damaged, or lacks a figure.
    """
    if trials.is_empty():
        return {}
    kept = (pl.col("split") == split) & pl.col("figure").is_in(figures)
    place = study / "resamples"
    with local_copy(place) as folder:
        paths = {trial_id: folder / f"{trial_id}.parquet" for trial_id in trials["trial_id"]}
        draws = dict(_read(place, list(paths.values()), kept))
    resamples = max(map(len, draws.values()), default=0)
    found = {}
    for row in trials.with_columns(pl.col(figures).fill_null(np.nan)).iter_rows(named=True):
        for figure in figures:
            path = paths[row["trial_id"]]
            series = draws.get((str(path), figure), ())
            held = f"{len(series)} resamples of {figure} on {split}"
            if not 0 < len(series) == resamples:
                raise AnalysisError(f"{place / path.name} holds {held}, others {resamples}: {REMEDY}")
            found[row["trial_id"], figure] = np.r_[row[figure], series]
    return found


def _read(place: Location, paths: list[Path], kept: pl.Expr) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    files = pl.scan_parquet(paths, glob=False, include_file_paths="path", extra_columns="ignore")
    try:
        draws = files.filter(kept).select("path", "figure", "resample", "value").collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        path = _unreadable(paths)
        where = place / path.name if path else place
        raise AnalysisError(f"{where} cannot be read: {REMEDY}") from error
    for (path, figure), rows in draws.sort("resample").group_by("path", "figure"):
        yield (str(path), str(figure)), rows["value"].fill_null(np.nan).to_numpy()


def _unreadable(paths: list[Path]) -> Path | None:
    """The first of the files that cannot be read; None where each can be read alone."""
    for path in paths:
        try:
            pl.read_parquet(path, glob=False)
        except (OSError, pl.exceptions.PolarsError):
            return path
    return None
