"""Confirmation trials: they train the designs on the search's front again, with seeds that the search did not use.

A front found by search is optimistic, because noise helps designs onto it. Confirmation measures the same designs anew.
"""

from collections.abc import Iterator
from itertools import count, islice

import polars as pl

from aia_models.random_streams import stream_seed
from analysis.fronts.pareto import pareto_front
from search_spaces.hyperparameters import HYPERPARAMETERS
from study.errors import StudyError
from study.spec.constraints import row_violation
from study.spec.spec import StudySpec
from study.trial.plan import TrialPlan
from study.trial.training_config import training_config

# Fresh seeds avoid this many seeds from the spec's seed on, so that they stay the same when `seeds` is extended.
MAX_SEEDS = 2**16


def confirmation_trials(trials: pl.DataFrame, spec: StudySpec) -> list[TrialPlan]:
    """Return the trials that confirm the search front of a `trials` frame, one per design on it and fresh seed.

    They are ordered by seed, so that a run that ends early leaves complete seeds. Raises StudyError if this release
    would train another design from the hyperparameters of a row than the design that was recorded.
    """
    front = search_front(trials, spec)
    return [
        _confirmation_trial(row, number, seed, spec)
        for number, seed in enumerate(fresh_seeds(spec), start=1)
        for row in front.iter_rows(named=True)
    ]


def search_front(trials: pl.DataFrame, spec: StudySpec) -> pl.DataFrame:
    """Return the search trials of a `trials` frame on the front, most private first, one row per design.

    Trials that violate a constraint of the search are left out before the front is computed.
    """
    search = trials.filter(pl.col("phase") == "search")
    constraints = spec.search_constraints
    allowed = [row_violation(constraints, row) == 0 for row in search.iter_rows(named=True)]
    front = pareto_front(search.filter(pl.Series(allowed, dtype=pl.Boolean)), spec.search_objectives)
    return front.unique("design_id", keep="first", maintain_order=True)


def fresh_seeds(spec: StudySpec) -> list[int]:
    """Return `confirm_seeds` distinct seeds below 2^32, none of which the search uses.

    A larger `confirm_seeds` appends seeds to those of a smaller one.
    """
    return list(islice(_endless_fresh_seeds(spec), spec.confirm_seeds))


def _endless_fresh_seeds(spec: StudySpec) -> Iterator[int]:
    search_seeds = range(spec.seed, spec.seed + max(spec.seeds, MAX_SEEDS))
    yielded: set[int] = set()
    for number in count(1):
        seed = stream_seed(spec.seed, "confirm", str(number)) % 2**32
        if seed not in search_seeds and seed not in yielded:
            yielded.add(seed)
            yield seed


def _confirmation_trial(row: dict, number: int, seed: int, spec: StudySpec) -> TrialPlan:
    design = row["design_id"]
    values = {name: row[name] for name in HYPERPARAMETERS}
    plan = TrialPlan(f"confirm-{design}-{number}", None, "confirm", "aia", values, seed)
    if training_config(plan, spec).design_id != design:
        raise StudyError(
            f"trial {row['trial_id']} cannot be confirmed: this release trains its hyperparameters as another design"
            f" than {design}; confirm it with the release that ran it"
        )
    return plan
