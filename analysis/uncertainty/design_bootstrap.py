"""Designs with their objectives under resampling of people and seeds, and what follows for the front."""

from dataclasses import dataclass

import moocore
import numpy as np
import polars as pl

from analysis.errors import AnalysisError
from analysis.fronts.candidates import judged, require_objectives
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
class Bootstrapped:
    """Designs and their objectives as costs, `[design, objective, 1 + resample]`: the figure, then each resample.

    Designs are confirmed ones, called by their design_id, averaged over `seeds`; or search trials, called by their
    trial_id, then people alone are resampled. Of several private attributes the strongest attacker counts.
    """

    source: str
    designs: tuple[str, ...]
    seeds: tuple[int, ...]
    costs: np.ndarray

    def pareto_probability(self) -> pl.DataFrame:
        """Per `design`: in which share of the resamples that know its figures it is Pareto-optimal (`probability`; NaN
        where none does), and whether it is by the figures themselves (`on_front`), the most probable first."""
        on_front = np.stack([is_nondominated(costs) for costs in np.moveaxis(self.costs, 2, 0)], axis=1)
        known = np.isfinite(self.costs[:, :, 1:].sum(axis=1)).sum(axis=1)
        times = on_front[:, 1:].sum(axis=1)
        found = {
            "design": self.designs,
            "on_front": on_front[:, 0],
            "probability": np.divide(times, known, out=np.full(len(known), np.nan), where=known > 0),
        }
        return pl.DataFrame(found).sort("probability", "design", descending=[True, False])

    def hypervolume(self) -> Resampled:
        """Of the designs that are on the front by the figures themselves, up to the declared reference, AUC x AUC.

        Whoever else would be on it in a resample is left out: the best of many noisy figures is too good.
        """
        front = self.costs[is_nondominated(self.costs[:, :, 0])]
        return np.array([_volume(costs) for costs in np.moveaxis(front, 2, 0)])


def bootstrapped(study: StudyTables, source: str | None = None, stream: int = 0) -> Bootstrapped:
    """Return the designs of `source`, "confirm" or "search"; where it is not given the confirmed ones if there are any.

    `stream` numbers the draws of seeds: others are independent. AnalysisError where there is none, or their resamples
    are missing.
    """
    trials = read_trials(study)
    require_objectives(trials, study.directory)
    complete = trials.filter(judged())
    confirmed = complete.filter(pl.col("phase") == "confirm")
    source = source or ("search" if confirmed.is_empty() else "confirm")
    rows = complete.filter(pl.col("phase") == source).sort("trial_id")
    if rows.is_empty():
        raise AnalysisError(f"{study.directory}: it has no {source} trial that was judged; expected one")
    figures = rows.select("trial_id", *(pl.col(f"{figure}_{SPLIT}").alias(figure) for figure in FIGURES))
    values = read_resamples(study.location, figures, SPLIT, FIGURES)
    seeds = tuple(rows["seed"].unique().sort()) if source == "confirm" else ()
    resamples = len(next(iter(values.values()))) - 1
    counts = seed_counts(max(len(seeds), 1), resamples, stream)
    name = "design_id" if source == "confirm" else "trial_id"
    designs, costs = [], []
    for (design,), own in rows.group_by(name, maintain_order=True):
        places = [seeds.index(seed) if seeds else 0 for seed in own["seed"]]
        over_seeds = [
            mean_over_seeds(
                {place: values[trial, figure] for place, trial in zip(places, own["trial_id"], strict=True)},
                counts,
            )
            for figure in FIGURES
        ]
        designs.append(str(design))
        costs.append(SIGNS[:, None] * np.stack(over_seeds))
    return Bootstrapped(source, tuple(designs), seeds, np.stack(costs))


def _volume(costs: np.ndarray) -> float:
    """NaN where a figure of a design is not known in a resample."""
    if not np.isfinite(costs).all():
        return np.nan
    return float(moocore.hypervolume(costs, ref=REFERENCE))
