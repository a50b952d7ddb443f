"""The samplers that learn from results, each over the part of the history that it is shown.

| name | what proposes | cost of a proposal |
|---|---|---|
| `tpe` | multi-objective tree-structured Parzen estimators (Ozaki et al. 2020) | milliseconds |
| `nsga2`, `nsga3` | genetic algorithms (Deb et al. 2002, 2014), generations of `GENERATION` trials | a millisecond |
| `gp` | Gaussian processes, expected hypervolume improvement | about a second |

`tpe` models the parameters that every design has jointly, and each conditional one by itself among the trials that
have it. `gp` draws conditional parameters at random and needs PyTorch; the genetic algorithms pass on only what every
design has.

**What is capped.** TPE's cost per proposal grows with every finished trial (it sorts and models all of them), a
Gaussian process's with their cube. `SEEN` says how many finished trials a sampler is shown at most: half of them the
best by non-dominated rank (those that violate no constraint first), the rest the most recent ones; and all running
ones. TPE takes the best by rank, a share that Optuna limits, for its model of good designs, and those stay; of the
others it weighs old ones least, so it misses those least. The journal keeps every trial.
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

STARTUP_TRIALS = 8  # random designs before tpe and gp model them
GENERATION = (
    24  # complete trials of a generation; Optuna's 50 would leave most studies one or two generations
)
SEEN: Mapping[GuidedSampler, int] = {"tpe": 200, "gp": 100}  # the genetic algorithms look back by generation
MORE_BEFORE_CUT = 0.25  # of SEEN, so that a cut is not made at each trial


def distribution(domain: Domain) -> BaseDistribution:
    """Optuna's distribution over the domain."""
    match domain:
        case Choice():
            return CategoricalDistribution(domain.options)
        case Integer():
            return IntDistribution(domain.low, domain.high, log=domain.log)
        case _:
            return FloatDistribution(domain.low, domain.high, log=isinstance(domain, LogUniform))


class _ConditionalTPE(TPESampler):
    """TPE over a space whose conditions are known, so that no trial is read to find out what depends on what."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True)
        self._in_every_design = {
            name: distribution(domain) for name, domain in space.parameters.items() if domain.when is None
        }

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """What is sampled jointly; the rest is sampled by itself once it turns out to be in effect."""
        return self._in_every_design


def optuna_sampler(name: GuidedSampler, space: Space, seed: int) -> BaseSampler:
    """Optuna's sampler of that name; `seed` is taken modulo 2^32."""
    seed %= 2**32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match name:
            case "tpe":
                return _ConditionalTPE(space, seed)
            case "nsga2":
                return NSGAIISampler(population_size=GENERATION, seed=seed)
            case "nsga3":
                return NSGAIIISampler(population_size=GENERATION, seed=seed)
            case "gp":
                return GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS, warn_independent_sampling=False)


class Model:
    """A sampler and the trials that it is shown, in memory; trials go by the numbers that the journal gives them."""

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
        self._numbers = 0  # above every number so far
        self._study: Study | None = None

    def add(self, number: int, trial: FrozenTrial) -> None:
        """Takes in a trial that the sampler did not propose; it is not changed."""
        if trial.state == TrialState.RUNNING:
            self._running[number] = trial
        elif trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            self._finished[number] = trial
        self._numbers = max(self._numbers, number + 1)
        self._study = None

    def propose(
        self, number: int, design: Mapping[str, Value] | None = None
    ) -> tuple[dict[str, Value], dict[str, Any]]:
        """A design for the trial `number`, `design` if that is given; the trial runs from now on.

        With it come Optuna's attributes that the sampler has to find when the study is opened again.
        """
        study = self._begun()
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
            self._storage.set_trial_system_attr(trial._trial_id, generation, 0)  # a design that was given
        self._ids[number] = trial._trial_id
        self._running[number] = self._storage.get_trial(trial._trial_id)
        self._numbers = number + 1
        attributes = self._running[number].system_attrs
        return values, {name: value for name, value in attributes.items() if name == generation}

    def finish(
        self,
        number: int,
        state: TrialState,
        values: Sequence[float] | None,
        constraints: Mapping[str, float],
    ) -> None:
        """Takes in how the running trial `number` ended."""
        study = self._begun()
        trial_id = self._ids.pop(number)
        for name, violation in constraints.items():
            self._storage.set_trial_system_attr(trial_id, CONSTRAINT + name, violation)
        study.tell(self._storage.get_trial_number_from_id(trial_id), values, state)
        del self._running[number]
        if state != TrialState.FAIL:
            self._finished[number] = self._storage.get_trial(trial_id)

    def _begun(self) -> Study:
        """The study in memory: begun anew, with what the sampler is to see, when trials were added or are too many."""
        most = SEEN.get(self._name)
        if most and len(self._finished) > most * (1 + MORE_BEFORE_CUT):
            self._finished = shown(self._finished, most, self._signs)
            self._study = None
        if self._study is None:
            # A stream of its own each time: from the same one the same designs would be drawn again.
            seed = stream_seed(self._seed, "search", str(self._numbers))
            self._storage = InMemoryStorage()
            self._study = optuna.create_study(
                storage=self._storage,
                sampler=optuna_sampler(self._name, self._space, seed),
                directions=[objective.direction for objective in self._objectives],
            )
            generation = _generation_key(self._study.sampler)
            self._ids: dict[int, int] = {}
            for number, trial in sorted((self._finished | self._running).items()):
                if generation and generation not in trial.system_attrs:  # not proposed by this sampler
                    trial = copy.copy(trial)
                    trial.system_attrs = {**trial.system_attrs, generation: 0}
                self._study.add_trial(trial)
                if number in self._running:
                    self._ids[number] = self._study.get_trials(deepcopy=False)[-1]._trial_id
        return self._study


def shown(finished: Mapping[int, FrozenTrial], most: int, signs: np.ndarray) -> dict[int, FrozenTrial]:
    """At most `most` of the trials by number: half of them the best, the rest the most recent of the others.

    Better are those that violate no constraint, by non-dominated rank, then the others by how much they violate,
    then those that were stopped early; of equals the later. `signs` makes costs of the values.
    """
    feasible = [n for n, t in finished.items() if t.state == TrialState.COMPLETE and not _violation(t)]
    costs = np.array([finished[number].values for number in feasible]).reshape(-1, len(signs)) * signs
    ranks = dict(zip(feasible, moocore.pareto_rank(costs).tolist() if feasible else [], strict=True))

    def place(number: int) -> tuple[int, float, int]:
        trial = finished[number]
        if number in ranks:
            return 0, ranks[number], -number
        return (1 if trial.state == TrialState.COMPLETE else 2), _violation(trial), -number

    best = sorted(finished, key=place)[: most // 2]
    recent = sorted(finished.keys() - set(best))[len(best) - most :]
    return {number: finished[number] for number in sorted((*best, *recent))}


def _violation(trial: FrozenTrial) -> float:
    return sum(max(violation, 0.0) for violation in trial.constraints.values())


def _generation_key(sampler: BaseSampler) -> str | None:
    """Under which attribute a genetic algorithm finds a trial's generation; without it, it ignores the trial."""
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
