"""The search's proposals: ask and tell over a journal on disk, or in memory alone; no Ray."""

import logging
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from analysis.tables.objectives import Objective
from analysis.tables.trial_row import Status
from search_spaces.domains import Value
from search_spaces.spaces import Space
from study.search.journal import Journal
from study.search.samplers import Model, distribution
from study.search.sequences import designs
from study.search.warm_start import Measurement
from study.spec.choices import GUIDED, UNGUIDED, Sampler
from study.spec.constraints import Constraint, violations
from study.storage.paths import JOURNAL

ORIGIN = "origin"  # Optuna's user attribute that says where a trial's design comes from: one of these, or the sampler
KNOWN, EARLIER = "known design", "earlier study"
WARM_START = "warm_start_trials"  # noted of the study once all of them are in the journal


@dataclass(frozen=True)
class Proposal:
    """One design that the sampler wants measured; `number` is Optuna's."""

    optuna_number: int
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
        sampler: Sampler,
        seed: int,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        logging.getLogger("optuna").propagate = False
        self._space = space
        self._distributions = {name: distribution(domain) for name, domain in space.parameters.items()}
        self._sampler: Sampler = sampler
        self._seed = seed
        self._objectives = objectives
        self._constraints = tuple(constraints)
        self._journal = Journal(directory / JOURNAL, name, objectives) if directory else None
        self._model = Model(sampler, space, seed, objectives) if sampler in GUIDED else None
        self._sequence: Iterator[dict[str, Value]] | None = None
        self._numbers = 0
        self._running: dict[int, Proposal] = {}
        self._drawn = 0  # designs that the sampler proposed
        self._given: list[dict[str, Value]] = []  # designs that it did not
        recorded = self._journal.trials() if self._journal else []
        for trial in recorded:
            self._recall(trial)
        designs_there = [trial.params for trial in recorded]
        self._known = deque(design for design in space.known_designs() if design not in designs_there)

    def ask(self) -> Proposal:
        """The next design; its Optuna trial is RUNNING until it is told."""
        number = self._numbers
        design = self._known.popleft() if self._known else None
        origin, attributes = KNOWN if design is not None else self._sampler, {}
        if self._model:
            design, attributes = self._model.propose(number, design)
        elif design is None:
            design = next(self._begun_sequence())
        self._write(self._trial(design, TrialState.RUNNING, {ORIGIN: origin}, system_attrs=attributes))
        self._numbers += 1
        self._drawn += origin == self._sampler
        proposal = self._running[number] = Proposal(number, design)
        return proposal

    def tell(self, number: int, status: Status, figures: Mapping[str, Any]) -> None:
        """Ends Optuna's trial `number`; `figures` are columns of its `trials` row.

        Only a `complete` trial with all objectives and constrained figures finite is a measurement. One that was
        stopped early is PRUNED: its truncated figures are not told, but say how it stands with the constraints.
        Anything else is FAIL. None stays RUNNING. A trial that was told before stays as it is.
        """
        proposal = self._running.get(number)
        if proposal is None:
            return
        values, violated = self._measured(proposal.values, figures)
        state, told = TrialState.FAIL, {}
        if status == "complete" and values is not None:
            state, told = TrialState.COMPLETE, violated
        elif status == "stopped_early":
            state, told = TrialState.PRUNED, violated
        reached = values if state == TrialState.COMPLETE else None
        if self._journal:
            self._journal.finish(number, state, reached, told)
        if self._model:
            self._model.finish(number, state, reached, told)
        del self._running[number]

    def catch_up(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes in recorded search trials that the journal lost, by their `trials` rows: the tables are what is true.

        A number that neither knows was asked for and lost: it fails, and keeps its place.
        """
        lost = {
            number: row
            for row in rows
            if (number := row["optuna_number"]) is not None and number >= self._numbers
        }
        for number in range(self._numbers, max(lost, default=-1) + 1):
            row = lost.get(number, {"status": "failed"})
            design = {name: row[name] for name in self._distributions if row.get(name) is not None}
            origin = KNOWN if design in self._space.known_designs() else self._sampler
            trial = self._trial(design, TrialState.RUNNING, {ORIGIN: origin})
            self._write(trial)
            trial.number = number
            self._recall(trial)
            self.tell(number, row["status"], row)
        self._known = deque(design for design in self._known if design not in self._given)

    def unfinished(self) -> list[Proposal]:
        """Designs that were asked for and never told: what a driver that died left behind."""
        return list(self._running.values())

    @property
    def warm_started(self) -> bool:
        """Whether the journal holds all trials of an earlier study that there are for it."""
        return self._journal is not None and WARM_START in self._journal.notes

    def warm_start(self, measurements: Iterable[Measurement]) -> int:
        """Takes in an earlier study's measurements as finished trials, those that are there already once, and says
        how many there are of them; before the first `ask`. One without a finite objective or constraint is left."""
        there = (
            {trial.user_attrs.get(EARLIER) for trial in self._journal.trials()} if self._journal else set()
        )
        taken = 0
        for measurement in measurements:
            values, violated = self._measured(measurement.values, measurement.figures)
            if values is None:
                continue
            taken += 1
            if measurement.trial_id in there:
                continue
            attributes = {ORIGIN: EARLIER, EARLIER: measurement.trial_id}
            trial = self._trial(
                measurement.values, TrialState.COMPLETE, attributes, values=values, constraints=violated
            )
            self._write(trial)
            trial.number = self._numbers
            self._recall(trial)
        self._known = deque(design for design in self._known if design not in self._given)
        if self._journal:
            self._journal.note(WARM_START, taken)
        return taken

    def _measured(
        self, values: Mapping[str, Value], figures: Mapping[str, Any]
    ) -> tuple[list[float] | None, dict[str, float]]:
        """Objectives, None unless the figures are a measurement, and the violations that are known."""
        measured = [figures.get(objective.column) for objective in self._objectives]
        finite = [value for value in measured if value is not None and math.isfinite(value)]
        all_violations = violations(self._constraints, values, figures)
        known = {name: violation for name, violation in all_violations.items() if violation is not None}
        whole = len(finite) == len(measured) and len(known) == len(all_violations)
        return (finite if whole else None), known

    def _trial(
        self, design: Mapping[str, Value], state: TrialState, user_attrs: dict[str, Any], **more: Any
    ) -> FrozenTrial:
        distributions = {name: self._distributions[name] for name in design}
        return create_trial(
            state=state, params=dict(design), distributions=distributions, user_attrs=user_attrs, **more
        )

    def _write(self, trial: FrozenTrial) -> None:
        if self._journal:
            self._journal.add(trial)

    def _recall(self, trial: FrozenTrial) -> None:
        """Takes in a trial that is in the journal."""
        self._numbers = trial.number + 1
        if trial.state == TrialState.RUNNING:
            self._running[trial.number] = Proposal(trial.number, trial.params)
        if trial.user_attrs.get(ORIGIN) in (KNOWN, EARLIER):
            self._given.append(trial.params)
        else:
            self._drawn += 1
        if self._model:
            self._model.add(trial.number, trial)

    def _begun_sequence(self) -> Iterator[dict[str, Value]]:
        """The designs that a sampler without a model has yet to propose."""
        if self._sequence is None:
            sampler = self._sampler
            assert sampler in UNGUIDED
            given = [*self._given, *self._space.known_designs()]
            self._sequence = islice(designs(sampler, self._space, self._seed, given), self._drawn, None)
        return self._sequence
