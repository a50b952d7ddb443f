"""The importance of a search's hyperparameters for each objective and for the front, by Optuna's evaluators."""

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
from analysis.tables.location import Location, write_to
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
    """Write `importance.parquet` of the study at `directory` atomically, replacing an earlier one.

    The table is empty if fewer than MIN_IMPORTANCE_TRIALS search trials are complete. Raises AnalysisError if no trial
    has finished.
    """
    trials = read_trials(open_tables(directory))
    spec = load_spec(str(directory / SPEC_FILE))
    rows = importance_rows(trials, searched_space(spec), spec.search_objectives)
    with write_to(directory / IMPORTANCE) as path:
        pq.write_table(to_table(rows, IMPORTANCE_SCHEMA), path, compression="zstd")


def importance_rows(
    trials: pl.DataFrame, searched: Space, objectives: Sequence[Objective]
) -> list[dict[str, Any]]:
    """Return rows of IMPORTANCE_SCHEMA from the complete search trials of a `trials` frame with a design in `searched`.

    For an objective, fANOVA gives the share of its variance over the space that a hyperparameter explains by itself. A
    conditional hyperparameter is assessed among the trials that have it, if these are at least MIN_IMPORTANCE_TRIALS.
    For the front, PED-ANOVA gives how much the distribution of a hyperparameter's values on the front differs from that
    of all trials; the shares of all hyperparameters sum to 1. Both use the scale on which a hyperparameter is searched.
    Hyperparameters and objectives with a single value have no rows; nor has the front if every trial is on it.
    """
    complete = trials.filter(is_judged(objectives), pl.col("phase") == "search").sort("trial_id")
    designs = [_design(row, searched) for row in complete.iter_rows(named=True)]
    inside = complete.filter(pl.Series([design is not None for design in designs], dtype=pl.Boolean))
    if inside.height < MIN_IMPORTANCE_TRIALS:
        return []
    costs = costs_of(inside, objectives)
    importances = _importances(
        [design for design in designs if design is not None], costs, searched, objectives
    )
    return [
        {
            "target": target, "hyperparameter": name, "importance": share, "evaluator": evaluator,
            "trials": trials,
        }
        for target, evaluator, trials, shares in importances
        for name, share in shares.items()
    ]  # fmt: skip


def _importances(
    designs: Sequence[Mapping[str, Value]], costs: Any, searched: Space, objectives: Sequence[Objective]
) -> Iterator[tuple[str, str, int, Mapping[str, float]]]:
    """Yield the target, the evaluator, the number of trials, and the importance of each hyperparameter."""
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
        # Optuna warns that shares need not sum to 1 and that few trials have a conditional parameter.
        warnings.simplefilter("ignore")
        unconditional = [name for name in searched.parameters if all(name in design for design in designs)]
        conditional = [name for name in searched.parameters if name not in unconditional]
        for assessed, reported in (
            (unconditional, unconditional),
            *(([*unconditional, name], [name]) for name in conditional),
        ):
            having = [number for number, design in enumerate(designs) if design.keys() >= {*assessed}]
            varying = [name for name in reported if len({designs[number][name] for number in having}) > 1]
            if varying and len(having) >= MIN_IMPORTANCE_TRIALS:
                for index, objective in enumerate(objectives):
                    if np.ptp(costs[having, index]):
                        shares = _variance_shares(search, assessed, index)
                        yield (
                            objective.column, "fanova", len(having), {name: shares[name] for name in varying}
                        )  # fmt: skip
        on_front = int(is_nondominated(costs).sum())
        if on_front < len(costs):
            # Half a trial less, because the evaluator rounds the number of trials up.
            quantile = (on_front - 0.5) / len(costs)
            evaluator = PedAnovaImportanceEvaluator(target_quantile=quantile)
            shares = get_param_importances(search, evaluator=evaluator)
            yield IMPORTANCE_FRONT, "ped_anova", len(costs), shares


def _variance_shares(search: optuna.Study, assessed: list[str], index: int) -> Mapping[str, float]:
    """Return the share of the variance of objective `index` that each hyperparameter in `assessed` explains.

    Only trials that have all of these hyperparameters are used.
    """
    return get_param_importances(
        search,
        evaluator=FanovaImportanceEvaluator(seed=0),
        params=assessed,
        target=lambda trial: trial.values[index],
        normalize=False,
    )


def _design(row: Mapping[str, Any], searched: Space) -> dict[str, Value] | None:
    """Return the row's design, or None if it lies outside the space."""
    recorded = {name: row[name] for name in searched.parameters if row[name] is not None}
    design = {name: recorded[name] for name in searched.active(recorded) if name in recorded}
    try:
        searched.check(design)
    except SpaceError:
        return None
    return design


def _distribution(domain: Domain) -> BaseDistribution:
    """Return Optuna's distribution of the values that `_scaled` returns.

    It is linear for logarithmic domains too, because Optuna's evaluators ignore the logarithm.
    """
    if isinstance(domain, Choice):
        return CategoricalDistribution(domain.options)
    if _is_logarithmic(domain):
        return FloatDistribution(log(domain.low), log(domain.high))
    if isinstance(domain, Integer):
        return IntDistribution(domain.low, domain.high)
    return FloatDistribution(domain.low, domain.high)


def _scaled(value: Value, domain: Domain) -> Value:
    """Return the value on the scale on which it is searched."""
    return log(value) if _is_logarithmic(domain) and not isinstance(value, str) else value


def _is_logarithmic(domain: Domain) -> bool:
    return isinstance(domain, LogUniform) or (isinstance(domain, Integer) and domain.log)
