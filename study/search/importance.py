"""What a search's hyperparameters matter for: each objective, and being on the front; by Optuna's evaluators."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import Any

import numpy as np
import optuna
import polars as pl
import pyarrow.parquet as pq
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import StudyDirection
from optuna.trial import create_trial

from analysis.fronts.candidates import is_judged
from analysis.fronts.pareto import costs_of, is_nondominated
from analysis.tables.location import Location, written
from analysis.tables.objectives import Objective
from analysis.tables.reader import open_tables, read_trials
from analysis.tables.schema import IMPORTANCE_FRONT, IMPORTANCE_SCHEMA, MIN_IMPORTANCE_TRIALS, to_table
from search_spaces.domains import Choice, Domain, Integer, LogUniform, Value
from search_spaces.errors import SpaceError
from search_spaces.spaces import Space
from study.spec.files import load_spec
from study.spec.spec import searched_space
from study.storage.paths import IMPORTANCE, SPEC_FILE


def write_importance(directory: Location) -> None:
    """Writes `importance.parquet` of the study at `directory`, which appears whole and replaces an earlier one.

    It is empty where fewer than MIN_IMPORTANCE_TRIALS search trials are complete. AnalysisError where no trial has
    finished.
    """
    trials = read_trials(open_tables(directory))
    spec = load_spec(str(directory / SPEC_FILE))
    rows = importance_rows(trials, searched_space(spec), spec.search_objectives)
    with written(directory / IMPORTANCE) as path:
        pq.write_table(to_table(rows, IMPORTANCE_SCHEMA), path, compression="zstd")


def importance_rows(
    trials: pl.DataFrame, searched: Space, objectives: Sequence[Objective]
) -> list[dict[str, Any]]:
    """Rows of IMPORTANCE_SCHEMA from the complete search trials of a `trials` frame whose design lies in the space.

    fANOVA says what share of an objective's variance over the space each hyperparameter explains by itself; one that
    exists under a condition, of the variance where it does, which takes MIN_IMPORTANCE_TRIALS there. PED-ANOVA says
    how far each one's values on the front are from its values anywhere, as a share of all of them. Both see a
    hyperparameter on the scale on which it is searched. What is the same in all trials, a hyperparameter or an
    objective, has no rows, nor has the front where every trial is on it.
    """
    complete = trials.filter(is_judged(objectives), pl.col("phase") == "search").sort("trial_id")
    designs = [_design(row, searched) for row in complete.iter_rows(named=True)]
    inside = complete.filter(pl.Series([design is not None for design in designs], dtype=pl.Boolean))
    if inside.height < MIN_IMPORTANCE_TRIALS:
        return []
    costs = costs_of(inside, objectives)
    found = _importances([design for design in designs if design is not None], costs, searched, objectives)
    return [
        {
            "target": target, "hyperparameter": name, "importance": share, "evaluator": evaluator,
            "trials": trials,
        }
        for target, evaluator, trials, shares in found
        for name, share in shares.items()
    ]  # fmt: skip


def _importances(
    designs: Sequence[Mapping[str, Value]], costs: Any, searched: Space, objectives: Sequence[Objective]
) -> Iterator[tuple[str, str, int, Mapping[str, float]]]:
    """Target, evaluator, number of trials, and the hyperparameters' importance."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search = optuna.create_study(directions=[StudyDirection.MINIMIZE] * len(objectives))
    distributions = {name: _distribution(domain) for name, domain in searched.parameters.items()}
    search.add_trials(
        create_trial(
            params={name: _scaled(value, searched.parameters[name]) for name, value in design.items()},
            distributions={name: distributions[name] for name in design},
            values=row.tolist(),
        )
        for design, row in zip(designs, costs, strict=True)
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # that shares need not sum to 1, and that few trials have a conditional one
        everywhere = [name for name in searched.parameters if all(name in design for design in designs)]
        conditional = [name for name in searched.parameters if name not in everywhere]
        for assessed, told in (
            (everywhere, everywhere),
            *(([*everywhere, name], [name]) for name in conditional),
        ):
            having = [number for number, design in enumerate(designs) if design.keys() >= {*assessed}]
            told = [name for name in told if len({designs[number][name] for number in having}) > 1]
            if told and len(having) >= MIN_IMPORTANCE_TRIALS:
                for place, objective in enumerate(objectives):
                    if np.ptp(costs[having, place]):
                        shares = _explained(search, assessed, place)
                        yield objective.column, "fanova", len(having), {name: shares[name] for name in told}
        on_front = int(is_nondominated(costs).sum())
        if on_front < len(costs):
            # Half a trial less: the evaluator rounds up.
            quantile = (on_front - 0.5) / len(costs)
            evaluator = PedAnovaImportanceEvaluator(target_quantile=quantile)
            shares = get_param_importances(search, evaluator=evaluator)
            yield IMPORTANCE_FRONT, "ped_anova", len(costs), shares


def _explained(search: optuna.Study, assessed: list[str], place: int) -> Mapping[str, float]:
    """Of the objective at `place`, in the trials that have all that is assessed."""
    return get_param_importances(
        search,
        evaluator=FanovaImportanceEvaluator(seed=0),
        params=assessed,
        target=lambda trial: trial.values[place],
        normalize=False,
    )


def _design(row: Mapping[str, Any], searched: Space) -> dict[str, Value] | None:
    """The row's design; None where it lies outside the space."""
    there = {name: row[name] for name in searched.parameters if row[name] is not None}
    design = {name: there[name] for name in searched.active(there) if name in there}
    try:
        searched.check(design)
    except SpaceError:
        return None
    return design


def _distribution(domain: Domain) -> BaseDistribution:
    """Optuna's distribution of what `_scaled` gives; its evaluators read logarithmic ones as if they were linear."""
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.options)
    if _is_logarithmic(domain):
        return FloatDistribution(log(domain.low), log(domain.high))
    if isinstance(domain, Integer):
        return IntDistribution(domain.low, domain.high)
    return FloatDistribution(domain.low, domain.high)


def _scaled(value: Value, domain: Domain) -> Value:
    return log(value) if _is_logarithmic(domain) and not isinstance(value, str) else value


def _is_logarithmic(domain: Domain) -> bool:
    return isinstance(domain, LogUniform) or (isinstance(domain, Integer) and domain.log)
