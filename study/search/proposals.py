"""The search's proposals: ask for a design, tell its result; kept in a journal on disk or only in memory. No Ray."""

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
from study.search.samplers import InMemorySampler, distribution
from study.search.sequences import design_sequence
from study.search.warm_start import Measurement
from study.spec.choices import GUIDED, UNGUIDED, Sampler
from study.spec.constraints import Constraint, violations
from study.storage.paths import JOURNAL

# Optuna's user attribute that says where a trial's design comes from: KNOWN, EARLIER or the name of the sampler.
ORIGIN = "origin"
KNOWN, EARLIER = "known design", "earlier study"
# User attribute of the study, set once all trials of the earlier study are in.
WARM_START = "warm_start_trials"


@dataclass(frozen=True)
class Proposal:
    """A design to be measured, and its Optuna trial number."""

    optuna_number: int
    values: Mapping[str, Value]


class Proposals:
    """Proposes designs and takes in their results; every call is on disk when it returns.

    The known designs of the space come first, then those that the sampler proposes. The journal is written into
    `directory`; with None the search is kept only in memory.
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
        self._guided = InMemorySampler(sampler, space, seed, objectives) if sampler in GUIDED else None
        self._sequence: Iterator[dict[str, Value]] | None = None
        self._next_number = 0
        self._running: dict[int, Proposal] = {}
        self._sampled = 0  # how many designs the sampler proposed
        self._not_sampled: list[dict[str, Value]] = []  # known designs and those of an earlier study
        recorded = self._journal.trials() if self._journal else []
        for trial in recorded:
            self._recall(trial)
        recorded_designs = [trial.params for trial in recorded]
        self._known = deque(design for design in space.known_designs() if design not in recorded_designs)

    def ask(self) -> Proposal:
        """Return the next design; its Optuna trial is RUNNING until `tell` is called."""
        number = self._next_number
        design = self._known.popleft() if self._known else None
        origin, attributes = KNOWN if design is not None else self._sampler, {}
        if self._guided:
            design, attributes = self._guided.propose(number, design)
        elif design is None:
            design = next(self._remaining_sequence())
        self._write(self._trial(design, TrialState.RUNNING, {ORIGIN: origin}, system_attrs=attributes))
        self._next_number += 1
        self._sampled += origin == self._sampler
        proposal = self._running[number] = Proposal(number, design)
        return proposal

    def tell(self, number: int, status: Status, figures: Mapping[str, Any]) -> None:
        """Finish Optuna's trial `number`; `figures` are columns of its `trials` row.

        A `complete` trial whose objectives and constrained figures are all finite becomes COMPLETE. A trial that was
        stopped early becomes PRUNED: the sampler learns its violations of constraints, but not its objectives, which
        belong to a shorter training. Every other trial becomes FAIL. A trial that is finished already is not changed.
        """
        proposal = self._running.get(number)
        if proposal is None:
            return
        objectives, known_violations = self._measurement(proposal.values, figures)
        state, values, constraints = TrialState.FAIL, None, {}
        if status == "complete" and objectives is not None:
            state, values, constraints = TrialState.COMPLETE, objectives, known_violations
        elif status == "stopped_early":
            state, constraints = TrialState.PRUNED, known_violations
        if self._journal:
            self._journal.finish(number, state, values, constraints)
        if self._guided:
            self._guided.finish(number, state, values, constraints)
        del self._running[number]

    def restore_lost_trials(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add the recorded search trials that the journal lost; `rows` are rows of `trials`, which are authoritative.

        A number that neither the journal nor the rows know belongs to a trial that was proposed and lost; a failed
        trial takes its place.
        """
        lost = {
            row["optuna_number"]: row
            for row in rows
            if row["optuna_number"] is not None and row["optuna_number"] >= self._next_number
        }
        for number in range(self._next_number, max(lost, default=-1) + 1):
            row = lost.get(number, {"status": "failed"})
            design = {name: row[name] for name in self._distributions if row.get(name) is not None}
            origin = KNOWN if design in self._space.known_designs() else self._sampler
            trial = self._trial(design, TrialState.RUNNING, {ORIGIN: origin})
            self._write(trial)
            trial.number = number
            self._recall(trial)
            self.tell(number, row["status"], row)
        self._drop_recorded_known_designs()

    def running(self) -> list[Proposal]:
        """Return the proposals without a result; after a restart, those that the last driver left unfinished."""
        return list(self._running.values())

    @property
    def warm_started(self) -> bool:
        """Whether the journal has all trials of the earlier study."""
        return self._journal is not None and WARM_START in self._journal.user_attrs

    def warm_start(self, measurements: Iterable[Measurement]) -> int:
        """Add an earlier study's measurements as finished trials, and return how many of them the search has now.

        To be called before the first `ask`. Measurements that the journal has already are not added again, and those
        with an objective or constrained figure that is not finite are left out.
        """
        present = (
            {trial.user_attrs.get(EARLIER) for trial in self._journal.trials()} if self._journal else set()
        )
        usable = 0
        for measurement in measurements:
            values, known_violations = self._measurement(measurement.values, measurement.figures)
            if values is None:
                continue
            usable += 1
            if measurement.trial_id in present:
                continue
            attributes = {ORIGIN: EARLIER, EARLIER: measurement.trial_id}
            trial = self._trial(
                measurement.values,
                TrialState.COMPLETE,
                attributes,
                values=values,
                constraints=known_violations,
            )
            self._write(trial)
            trial.number = self._next_number
            self._recall(trial)
        self._drop_recorded_known_designs()
        if self._journal:
            self._journal.set_user_attr(WARM_START, usable)
        return usable

    def _drop_recorded_known_designs(self) -> None:
        self._known = deque(design for design in self._known if design not in self._not_sampled)

    def _measurement(
        self, values: Mapping[str, Value], figures: Mapping[str, Any]
    ) -> tuple[list[float] | None, dict[str, float]]:
        """Return the objectives and the known violations; None for objectives if a figure is missing or not finite."""
        objectives = [figures.get(objective.column) for objective in self._objectives]
        finite = [value for value in objectives if value is not None and math.isfinite(value)]
        all_violations = violations(self._constraints, values, figures)
        known = {name: violation for name, violation in all_violations.items() if violation is not None}
        is_measurement = len(finite) == len(objectives) and len(known) == len(all_violations)
        return (finite if is_measurement else None), known

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
        """Take in a trial that is in the journal, or would be if there were one."""
        self._next_number = trial.number + 1
        if trial.state == TrialState.RUNNING:
            self._running[trial.number] = Proposal(trial.number, trial.params)
        if trial.user_attrs.get(ORIGIN) in (KNOWN, EARLIER):
            self._not_sampled.append(trial.params)
        else:
            self._sampled += 1
        if self._guided:
            self._guided.add(trial.number, trial)

    def _remaining_sequence(self) -> Iterator[dict[str, Value]]:
        """Return the designs that a sampler without a model has not proposed yet."""
        if self._sequence is None:
            sampler = self._sampler
            assert sampler in UNGUIDED
            known = [*self._not_sampled, *self._space.known_designs()]
            sequence = design_sequence(sampler, self._space, self._seed, known)
            self._sequence = islice(sequence, self._sampled, None)
        return self._sequence
