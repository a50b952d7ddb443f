"""The samplers that learn from results, each given a part of the history that keeps its cost per proposal bounded.

| name | algorithm | cost of a proposal |
|---|---|---|
| `tpe` | multi-objective tree-structured Parzen estimators (Ozaki et al. 2020) | milliseconds |
| `nsga2`, `nsga3` | genetic algorithms (Deb et al. 2002, 2014), generations of `GENERATION_TRIALS` trials | 1 ms |
| `gp` | Gaussian processes, expected hypervolume improvement | about a second |

`tpe` models the parameters that every design has jointly, and each conditional parameter by itself among the trials
that have it. `gp` draws conditional parameters at random and needs PyTorch. The genetic algorithms pass on only the
parameters that every design has.

**The cap on the history.** TPE's cost per proposal grows with every finished trial, because it sorts and models all of
them; the cost of a Gaussian process grows with the cube of their number. `MAX_FINISHED_TRIALS` says how many finished
trials a sampler gets at most: half of them are the best by non-dominated rank (those without violations first), the
rest are the most recent ones. All running trials come on top. TPE builds its model of good designs from the trials of
the best ranks, which are all kept; among the others it weights old trials least, so their loss matters least. The
journal keeps every trial.
"""

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import moocore
import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from aia_models.random_streams import stream_seed
from analysis.tables.objectives import Objective
from search_spaces.domains import Choice, Domain, Integer, LogUniform, Uniform, Value
from search_spaces.spaces import Space
from study.search.journal import CONSTRAINT
from study.spec.choices import GuidedSampler

STARTUP_TRIALS = 8  # random designs before tpe and gp build a model
# Complete trials per generation of a genetic algorithm; Optuna's 50 would leave most studies one or two.
GENERATION_TRIALS = 24
# The genetic algorithms need no cap: they read only the last generations.
MAX_FINISHED_TRIALS: Mapping[GuidedSampler, int] = {"tpe": 200, "gp": 100}
CAP_TOLERANCE = 0.25  # share of MAX_FINISHED_TRIALS by which the history may exceed it, so that cuts are rare


def distribution(domain: Domain) -> BaseDistribution:
    """Return Optuna's distribution over the domain."""
    match domain:
        case Choice():
            return CategoricalDistribution(domain.options)
        case Integer():
            return IntDistribution(domain.low, domain.high, log=domain.log)
        case _:
            return FloatDistribution(domain.low, domain.high, log=isinstance(domain, LogUniform))


class _ConditionalTPE(TPESampler):
    """TPE over a space with known conditions; Optuna's own TPE would read all trials to infer the conditions."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True)
        self._in_every_design = {
            name: distribution(domain) for name, domain in space.parameters.items() if domain.when is None
        }

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that are sampled jointly; active conditional ones are sampled separately."""
        return self._in_every_design


def optuna_sampler(name: GuidedSampler, space: Space, seed: int) -> BaseSampler:
    """Return Optuna's sampler of that name, seeded with `seed` modulo 2^32."""
    seed %= 2**32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match name:
            case "tpe":
                return _ConditionalTPE(space, seed)
            case "nsga2":
                return NSGAIISampler(population_size=GENERATION_TRIALS, seed=seed)
            case "nsga3":
                return NSGAIIISampler(population_size=GENERATION_TRIALS, seed=seed)
            case "gp":
                return GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False)


class InMemorySampler:
    """An Optuna sampler with its capped history in memory; trials are identified by their numbers in the journal."""

    def __init__(
        self, sampler: GuidedSampler, space: Space, seed: int, objectives: Sequence[Objective]
    ) -> None:
        self._name: GuidedSampler = sampler
        self._space = space
        self._seed = seed
        self._objectives = objectives
        self._signs = np.array([objective.sign for objective in objectives])
        self._finished: dict[int, FrozenTrial] = {}
        self._running: dict[int, FrozenTrial] = {}
        self._next_number = 0  # larger than every number so far
        self._study: Study | None = None

    def add(self, number: int, trial: FrozenTrial) -> None:
        """Take in a trial from the journal that was not proposed by this instance; the trial is not changed."""
        if trial.state == TrialState.RUNNING:
            self._running[number] = trial
        elif trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            self._finished[number] = trial
        self._next_number = max(self._next_number, number + 1)
        self._study = None

    def propose(
        self, number: int, design: Mapping[str, Value] | None = None
    ) -> tuple[dict[str, Value], dict[str, Any]]:
        """Start the trial `number` with the given design, or with one that the sampler proposes.

        Returns the design, and the Optuna attributes that the sampler needs when the study is opened again.
        """
        study = self._open_study()
        if design is not None:
            study.enqueue_trial(dict(design))
        trial = study.ask()
        values: dict[str, Value] = {}
        for name, domain in self._space.parameters.items():
            when = domain.when
            if when is None or values.get(when.parameter) in when.values:
                values[name] = _suggest(trial, name, domain)
        generation = _generation_key(study.sampler)
        if generation and generation not in self._storage.get_trial_system_attrs(trial._trial_id):
            # The design was given, so Optuna did not set its generation.
            self._storage.set_trial_system_attr(trial._trial_id, generation, 0)
        self._ids[number] = trial._trial_id
        self._running[number] = self._storage.get_trial(trial._trial_id)
        self._next_number = number + 1
        attributes = self._running[number].system_attrs
        return values, {name: value for name, value in attributes.items() if name == generation}

    def finish(
        self,
        number: int,
        state: TrialState,
        values: Sequence[float] | None,
        constraints: Mapping[str, float],
    ) -> None:
        """Take in the result of the running trial `number`."""
        study = self._open_study()
        trial_id = self._ids.pop(number)
        for name, violation in constraints.items():
            self._storage.set_trial_system_attr(trial_id, CONSTRAINT + name, violation)
        study.tell(self._storage.get_trial_number_from_id(trial_id), values, state)
        del self._running[number]
        if state != TrialState.FAIL:
            self._finished[number] = self._storage.get_trial(trial_id)

    def _open_study(self) -> Study:
        """Return the Optuna study in memory, which is rebuilt after trials were added or exceeded the cap."""
        cap = MAX_FINISHED_TRIALS.get(self._name)
        if cap and len(self._finished) > cap * (1 + CAP_TOLERANCE):
            self._finished = capped_history(self._finished, cap, self._signs)
            self._study = None
        if self._study is None:
            # Every rebuilt study draws from a random stream of its own, or it would propose the same designs again.
            seed = stream_seed(self._seed, "search", str(self._next_number))
            self._storage = InMemoryStorage()
            self._study = optuna.create_study(
                storage=self._storage,
                sampler=optuna_sampler(self._name, self._space, seed),
                directions=[objective.direction for objective in self._objectives],
            )
            generation = _generation_key(self._study.sampler)
            self._ids: dict[int, int] = {}
            for number, trial in sorted((self._finished | self._running).items()):
                if generation and generation not in trial.system_attrs:  # another sampler proposed it
                    trial = copy.copy(trial)
                    trial.system_attrs = {**trial.system_attrs, generation: 0}
                self._study.add_trial(trial)
                if number in self._running:
                    self._ids[number] = self._study.get_trials(deepcopy=False)[-1]._trial_id
        return self._study


def capped_history(
    finished: Mapping[int, FrozenTrial], cap: int, signs: np.ndarray
) -> dict[int, FrozenTrial]:
    """Return at most `cap` of the trials, by number: half of them the best, the rest the most recent of the others.

    The best trials are those without violations, by non-dominated rank; then those with violations, by their sum; then
    those that were stopped early. Among equals the later trial is better. `signs` `[objective]` turn the trials' values
    into costs.
    """
    feasible = [n for n, t in finished.items() if t.state == TrialState.COMPLETE and not _violation(t)]
    costs = np.array([finished[number].values for number in feasible]).reshape(-1, len(signs)) * signs
    ranks = dict(zip(feasible, moocore.pareto_rank(costs).tolist() if feasible else [], strict=True))

    def sort_key(number: int) -> tuple[int, float, int]:
        trial = finished[number]
        if number in ranks:
            return 0, ranks[number], -number
        return (1 if trial.state == TrialState.COMPLETE else 2), _violation(trial), -number

    best = sorted(finished, key=sort_key)[: cap // 2]
    recent = sorted(finished.keys() - set(best))[len(best) - cap :]
    return {number: finished[number] for number in sorted((*best, *recent))}


def _violation(trial: FrozenTrial) -> float:
    return sum(max(violation, 0.0) for violation in trial.constraints.values())


def _generation_key(sampler: BaseSampler) -> str | None:
    """Return the attribute in which a genetic algorithm keeps a trial's generation; it ignores trials without it."""
    return sampler._get_generation_key() if isinstance(sampler, NSGAIISampler | NSGAIIISampler) else None


def _suggest(trial: Trial, name: str, domain: Domain) -> Value:
    match domain:
        case Choice():
            chosen = trial.suggest_categorical(name, domain.options)
            assert chosen is not None
            return chosen
        case Integer():
            return trial.suggest_int(name, domain.low, domain.high, log=domain.log)
        case LogUniform():
            return trial.suggest_float(name, domain.low, domain.high, log=True)
        case Uniform():
            return trial.suggest_float(name, domain.low, domain.high)
