"""Bootstraps the designs of one study over people and seeds: how sure is each place on the front, and the
hypervolume?"""

from dataclasses import dataclass

import moocore
import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import is_judged, require_objectives
from analysis.fronts.pareto import is_nondominated
from analysis.tables.objectives import SEARCH_OBJECTIVES
from analysis.tables.reader import StudyTables, read_trials
from analysis.uncertainty.resample_files import read_resamples
from analysis.uncertainty.resampled import Resampled, mean_over_seeds, seed_counts

SPLIT = "validation"
FIGURES = tuple(objective.column.removesuffix(f"_{SPLIT}") for objective in SEARCH_OBJECTIVES)
SIGNS = np.array([objective.sign for objective in SEARCH_OBJECTIVES])
REFERENCE = np.array([objective.worst_cost for objective in SEARCH_OBJECTIVES])


@dataclass(frozen=True)
class DesignBootstrap:
    """The designs of a study with their objectives in every bootstrap resample of people and seeds.

    `costs` is float64 `[design, objective, 1 + resample]`, lower is better: index 0 of the last axis is the measured
    figure, the others are its values in the resamples, NaN where a resample lacks one of the classes. With `source`
    "confirm", `designs` are design ids and figures are means over `seeds`; with "search", `designs` are trial ids,
    `seeds` is empty and only people are resampled. The objectives are SEARCH_OBJECTIVES: of several private
    attributes the strongest attack counts.
    """

    source: str
    designs: tuple[str, ...]
    seeds: tuple[int, ...]
    costs: np.ndarray

    def pareto_probability(self) -> pl.DataFrame:
        """Return one row per design, the most probable first: `design`, `on_front` and `probability`.

        `on_front` says whether the design is Pareto-optimal by its measured figures. `probability` is the share of the
        resamples in which it is Pareto-optimal, of those in which its figures are known; NaN if there is none.
        """
        on_front = np.stack([is_nondominated(costs) for costs in np.moveaxis(self.costs, 2, 0)], axis=1)
        known = np.isfinite(self.costs[:, :, 1:].sum(axis=1)).sum(axis=1)
        times = on_front[:, 1:].sum(axis=1)
        columns = {
            "design": self.designs,
            "on_front": on_front[:, 0],
            "probability": np.divide(times, known, out=np.full(len(known), np.nan), where=known > 0),
        }
        return pl.DataFrame(columns).sort("probability", "design", descending=[True, False])

    def hypervolume(self) -> Resampled:
        """Return the hypervolume of the front, float64 `[1 + resample]`, in AUC x AUC up to the declared reference
        point.

        In every resample the front consists of the designs that are on it by their measured figures: a design that
        enters by chance is left out, because the best of many noisy figures is too good. NaN where a figure is not
        known.
        """
        front = self.costs[is_nondominated(self.costs[:, :, 0])]
        return np.array([_volume(costs) for costs in np.moveaxis(front, 2, 0)])


def bootstrap_designs(study: StudyTables, source: str | None = None, stream: int = 0) -> DesignBootstrap:
    """Return the judged designs of a study with their bootstrap resamples.

    `source` is "confirm" (confirmed designs) or "search" (search trials); None takes confirmed designs if there are
    any. Resamples of seeds with different numbers `stream` are independent. Raises AnalysisError if no trial of that
    source is judged or resamples are missing.
    """
    trials = read_trials(study)
    require_objectives(trials, study.directory)
    complete = trials.filter(is_judged())
    confirmed = complete.filter(pl.col("phase") == "confirm")
    source = source or ("search" if confirmed.is_empty() else "confirm")
    rows = complete.filter(pl.col("phase") == source).sort("trial_id")
    if rows.is_empty():
        raise AnalysisError(f"{study.directory}: no {source} trial is judged; expected at least one")
    figures = rows.select("trial_id", *(pl.col(f"{figure}_{SPLIT}").alias(figure) for figure in FIGURES))
    values = read_resamples(study.location, figures, SPLIT, FIGURES)
    seeds = tuple(rows["seed"].unique().sort()) if source == "confirm" else ()
    resamples = len(next(iter(values.values()))) - 1
    counts = seed_counts(max(len(seeds), 1), resamples, stream)
    id_column = "design_id" if source == "confirm" else "trial_id"
    designs, costs = [], []
    for (design,), trainings in rows.group_by(id_column, maintain_order=True):
        indices = [seeds.index(seed) if seeds else 0 for seed in trainings["seed"]]
        over_seeds = [
            mean_over_seeds(
                {
                    index: values[trial, figure]
                    for index, trial in zip(indices, trainings["trial_id"], strict=True)
                },
                counts,
            )
            for figure in FIGURES
        ]
        designs.append(str(design))
        costs.append(SIGNS[:, None] * np.stack(over_seeds))
    return DesignBootstrap(source, tuple(designs), seeds, np.stack(costs))


def _volume(costs: np.ndarray) -> float:
    """Return the hypervolume of one resample's costs `[design, objective]`; NaN if one of them is not finite."""
    if not np.isfinite(costs).all():
        return np.nan
    return float(moocore.hypervolume(costs, ref=REFERENCE))
