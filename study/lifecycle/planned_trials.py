"""Trials that are known before any search: baselines and the spec's own designs, each at every seed."""

from collections.abc import Iterator
from itertools import count, islice

import polars as pl

from aia_models.random_streams import stream_seed
from analysis.fronts.pareto import pareto_front
from search_spaces.hyperparameters import HYPERPARAMETERS, resolve
from study.errors import StudyError
from study.spec.constraints import row_violation
from study.spec.spec import StudySpec
from study.trial.plan import TrialPlan
from study.trial.training_config import baseline_values, training_config


def planned_trials(spec: StudySpec) -> list[TrialPlan]:
    """Seed by seed, so that a run that ends early leaves whole seeds; ids stay when seeds are added."""
    return [plan for seed in range(spec.seed, spec.seed + spec.seeds) for plan in _of_seed(spec, seed)]


def _of_seed(spec: StudySpec, seed: int) -> Iterator[TrialPlan]:
    ending = "" if seed == spec.seed else f"-seed-{seed}"
    for name in spec.baselines:
        yield TrialPlan(f"baseline-{name}{ending}", None, "baseline", name, baseline_values(name, spec), seed)
    for place, design in enumerate(spec.designs):
        values = resolve(design, spec.fixed)
        yield TrialPlan(f"design-{place:02d}{ending}", None, "search", "aia", values, seed)


MAX_SEEDS = (
    2**16
)  # from the spec's seed on: no fresh seed is among them, however far `seeds` grows up to there


def fresh_seeds(spec: StudySpec) -> list[int]:
    """The `confirm_seeds` seeds, below 2^32: none of the search's; the first stay as they are when more follow."""
    return list(islice(_fresh_seeds(spec), spec.confirm_seeds))


def search_front(trials: pl.DataFrame, spec: StudySpec) -> pl.DataFrame:
    """The rows of `trials` on the front of the search, the most private first, one for each design.

    Where the search has constraints, those that violate one are left out before.
    """
    search = trials.filter(pl.col("phase") == "search")
    constraints = spec.search_constraints
    allowed = [row_violation(constraints, row) == 0 for row in search.iter_rows(named=True)]
    front = pareto_front(search.filter(pl.Series(allowed, dtype=pl.Boolean)), spec.search_objectives)
    return front.unique("design_id", keep="first", maintain_order=True)


def confirming_trials(trials: pl.DataFrame, spec: StudySpec) -> list[TrialPlan]:
    """The trials that confirm the front of a `trials` frame, seed by seed: a run that ends early leaves whole seeds.

    StudyError where this release would train another design than the one on the front.
    """
    front = search_front(trials, spec)
    return [
        _plan(row, number, seed, spec)
        for number, seed in enumerate(fresh_seeds(spec), start=1)
        for row in front.iter_rows(named=True)
    ]


def _plan(row: dict, number: int, seed: int, spec: StudySpec) -> TrialPlan:
    design = row["design_id"]
    values = {name: row[name] for name in HYPERPARAMETERS}
    plan = TrialPlan(f"confirm-{design}-{number}", None, "confirm", "aia", values, seed)
    if training_config(plan, spec).design_id != design:
        raise StudyError(
            f"trial {row['trial_id']} cannot be confirmed: this release trains its hyperparameters as another design"
            f" than {design}; confirm it with the release that ran it"
        )
    return plan


def _fresh_seeds(spec: StudySpec) -> Iterator[int]:
    searched = range(spec.seed, spec.seed + max(spec.seeds, MAX_SEEDS))
    given: set[int] = set()
    for number in count(1):
        seed = stream_seed(spec.seed, "confirm", str(number)) % 2**32
        if seed not in searched and seed not in given:
            given.add(seed)
            yield seed
