"""Reads the figures of trainings in each bootstrap resample of the judged people from a study's folder `resamples`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.tables.location import Location, local_copy
from analysis.uncertainty.resampled import Resampled

REMEDY = (
    "expected the trial's bootstrap resamples, which only a run of the study in a new directory writes again"
)


def read_resamples(
    study: Location, trials: pl.DataFrame, split: str, figures: Sequence[str]
) -> Mapping[tuple[str, str], Resampled]:
    """Return the resampled figures of trials on one split, by (`trial_id`, figure).

    `trials` has the column `trial_id` and one column per figure of `figures`, named without the split, for example
    `attacker_auc`. Each value of the result is float64 `[1 + resample]`: the figure from `trials`, then its value in
    each resample, NaN where unknown; all have the same length. Raises AnalysisError if a trial's file is missing or
    damaged, or holds fewer resamples of a figure than the others.
    """
    if trials.is_empty():
        return {}
    is_wanted = (pl.col("split") == split) & pl.col("figure").is_in(figures)
    folder = study / "resamples"
    with local_copy(folder) as local_folder:
        paths = {trial_id: local_folder / f"{trial_id}.parquet" for trial_id in trials["trial_id"]}
        bootstrap_samples = dict(_read(folder, list(paths.values()), is_wanted))
    resamples = max(map(len, bootstrap_samples.values()), default=0)
    resampled = {}
    for row in trials.with_columns(pl.col(figures).fill_null(np.nan)).iter_rows(named=True):
        for figure in figures:
            path = paths[row["trial_id"]]
            values = bootstrap_samples.get((str(path), figure), ())
            if not 0 < len(values) == resamples:
                raise AnalysisError(
                    f"{folder / path.name} holds {len(values)} resamples of {figure} on {split}, other files hold"
                    f" {resamples}: {REMEDY}"
                )
            resampled[row["trial_id"], figure] = np.r_[row[figure], values]
    return resampled


def _read(
    folder: Location, paths: list[Path], is_wanted: pl.Expr
) -> Iterator[tuple[tuple[str, str], np.ndarray]]:
    """Yields (path, figure) and the figure's values in the order of the resamples, float64 `[resample]`.

    `folder` is where the files lie for the user; `paths` may be copies of them on this machine.
    """
    files = pl.scan_parquet(paths, glob=False, include_file_paths="path")
    try:
        resampled = files.filter(is_wanted).select("path", "figure", "resample", "value").collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        path = _first_unreadable(paths)
        where = folder / path.name if path else folder
        raise AnalysisError(f"{where} cannot be read: {REMEDY}") from error
    for (path, figure), rows in resampled.sort("resample").group_by("path", "figure"):
        yield (str(path), str(figure)), rows["value"].fill_null(np.nan).to_numpy()


def _first_unreadable(paths: list[Path]) -> Path | None:
    """Return the first file that cannot be read; None if each can be read by itself."""
    for path in paths:
        try:
            pl.read_parquet(path, glob=False)
        except (OSError, pl.exceptions.PolarsError):
            return path
    return None
