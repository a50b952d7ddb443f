"""The search's proposals: Optuna's ask and tell over a journal on disk, no Ray."""

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState

from aia_models.streams import stream_seed
from search_spaces.domains import Choice, Domain, Integer, LogUniform, Uniform, Value
from search_spaces.spaces import Space
from study.layout import JOURNAL
from study.objectives import Objective
from study.plan import Status

STARTUP_TRIALS = 8  # random designs before TPE models them


@dataclass(frozen=True)
class Proposal:
    """One design that the sampler wants measured; `number` is Optuna's."""

    number: int
    values: Mapping[str, Value]


class Proposals:
    """Asks for designs and is told what became of them; every call is on disk when it returns.

    The space's known designs come first, then what the sampler proposes. Without a `directory` nothing is written.
    """

    def __init__(
        self,
        directory: Path | None,
        name: str,
        space: Space,
        sampler: str,
        seed: int,
        objectives: Sequence[Objective],
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        logging.getLogger("optuna").propagate = False
        self._space = space
        self._objectives = objectives
        storage = (
            JournalStorage(JournalFileBackend(str(directory / JOURNAL))) if directory else InMemoryStorage()
        )
        self._study = optuna.create_study(
            study_name=name,
            storage=storage,
            directions=[objective.direction for objective in objectives],
            load_if_exists=True,
        )
        for design in space.known_designs():
            self._study.enqueue_trial(design, skip_if_exists=True)
        # A stream of its own for each opening: from the same one a resume would draw the same designs again.
        drawn = len(self._study.get_trials(deepcopy=False))
        self._study.sampler = _sampler(sampler, stream_seed(seed, "search", str(drawn)) % 2**32)

    def ask(self) -> Proposal:
        """The next design; its Optuna trial is RUNNING until it is told."""
        trial = self._study.ask()
        values: dict[str, Value] = {}
        for name, domain in self._space.parameters.items():
            when = domain.when
            if when is None or values.get(when.parameter) in when.values:
                values[name] = _suggest(trial, name, domain)
        return Proposal(trial.number, values)

    def tell(self, number: int, status: Status, figures: Mapping[str, float | None]) -> None:
        """Ends Optuna's trial `number`.

        Only a `complete` trial with all objectives finite is a measurement. One that was stopped early is
        PRUNED, its truncated figures are not told; anything else is FAIL. None stays RUNNING. A trial that
        was told before stays as it is.
        """
        measured = [figures.get(objective.column) for objective in self._objectives]
        finite = [value for value in measured if value is not None and math.isfinite(value)]
        if status == "complete" and len(finite) == len(measured):
            self._study.tell(number, finite, skip_if_finished=True)
        elif status == "stopped_early":
            self._study.tell(number, state=TrialState.PRUNED, skip_if_finished=True)
        else:
            self._study.tell(number, state=TrialState.FAIL, skip_if_finished=True)

    def unfinished(self) -> list[Proposal]:
        """Designs that were asked for and never told: what a driver that died left behind."""
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [Proposal(trial.number, trial.params) for trial in running]


def _sampler(name: str, seed: int) -> BaseSampler:
    if name == "random":
        return RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(
            seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, group=True, constant_liar=True
        )


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
