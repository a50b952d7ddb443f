"""A search over a recorded study in virtual time: its real sampler and its real rule, no training, no Ray.

A proposal reads the recorded design nearest in the space's unit cube (Euclidean), one of its recorded seeds drawn at
random. A worker's clock goes on by the recorded seconds of each joint epoch, and of judging where the rule or the end
asks for it. Stage 1 is shared between trials and counted to none of them.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from aia_models.random_streams import stream_seed
from analysis.fronts.hypervolume import GrowingFront
from analysis.tables.trial_row import Status
from search_spaces.domains import Value
from search_spaces.unit_cube import to_point
from study.errors import StudyError
from study.replay.recording import Recording
from study.search.halving import Rungs, constrained
from study.search.proposals import Proposals
from study.spec.constraints import total_violation
from study.spec.sections import rungs
from study.spec.spec import StudySpec


@dataclass(frozen=True)
class ReplayedTrial:
    """A trial that ended, and how the whole search stood at that moment.

    `design` and `recorded_seed` are places in the recording; times are virtual, `training_seconds` and
    `judging_seconds` the trial's own. `joint_epochs_spent` counts those of all trials, also of running ones; of
    `hypervolume` and `front_size` only `complete` trials are part.
    """

    number: int
    design: int
    recorded_seed: int
    status: Status
    epochs: int
    objectives: tuple[float, ...]
    started_seconds: float
    ended_seconds: float
    training_seconds: float
    judging_seconds: float
    joint_epochs_spent: int
    hypervolume: float
    front_size: int


class StoppingRule(Protocol):
    """After which joint epochs trials are judged on the way, and whether the one that is there goes on."""

    @property
    def epochs(self) -> frozenset[int]:
        """Joint epochs before the last."""
        ...

    def goes_on(self, epoch: int, costs: Float[np.ndarray, " objective"]) -> bool:
        """Takes in a trial's costs after `epoch`; whether it trains on."""
        ...


def replay(
    recording: Recording, spec: StudySpec, workers: int, rule: StoppingRule | None = None
) -> Iterator[ReplayedTrial]:
    """The trials of the search that `spec` asks for, in the order in which they end; the same for the same arguments.

    Of the spec count `sampler`, `constraints`, `early_stopping`, `trials` and `seed`; its space, budget and objectives
    have to be the recording's. `rule` stands in for the spec's, to try others. Trials are begun as they are waited for:
    stop iterating where it is enough. StudyError where a constraint is on a figure that is not recorded.
    """
    recorded = {*recording.space.parameters, *(objective.column for objective in spec.search_objectives)}
    for constraint in spec.search_constraints:
        if constraint.name not in recorded:
            raise StudyError(
                f"constraint {constraint.text!r} cannot be replayed: a recording holds {', '.join(sorted(recorded))}"
            )
    return _Replay(recording, spec, rule or spec_rule(spec)).run(workers)


def spec_rule(spec: StudySpec) -> Rungs:
    """The rule of the spec's early stopping, as studies use it; without one no epoch is a rung."""
    stopping = spec.early_stopping
    epochs: tuple[int, ...] = ()
    if stopping.rule == "mo_asha":
        epochs = rungs(stopping.grace_epochs, stopping.reduction_factor, spec.training.joint_epochs)
    reference = np.array([objective.worst_cost for objective in spec.search_objectives])
    return Rungs(epochs, stopping.reduction_factor, reference)


@dataclass
class _Running:
    number: int
    design: int
    seed: int
    values: Mapping[str, Value]
    started: float
    epochs: int = 0
    training: float = 0.0
    judging: float = 0.0


class _Replay:
    def __init__(self, recording: Recording, spec: StudySpec, rule: StoppingRule) -> None:
        self._recording = recording
        self._space = recording.space
        self._objectives = spec.search_objectives
        self._signs = np.array([objective.sign for objective in self._objectives])
        self._columns = [objective.column for objective in self._objectives]
        self._constraints = spec.search_constraints
        self._proposals = Proposals(
            None, spec.name, self._space, spec.sampler, spec.seed, self._objectives, spec.search_constraints
        )
        self._draw = np.random.default_rng(stream_seed(spec.seed, "replay", "recorded seed"))
        self._trials = spec.trials
        self._last_epoch = recording.objectives.shape[2]
        self._rule = rule
        self._judged = self._rule.epochs | {self._last_epoch}
        self._front = GrowingFront(self._objectives)
        self._begun = 0
        self._spent = 0
        # Times of the ends of epochs. Equal ones go by the order in which they came about.
        self._events: list[tuple[float, int, _Running]] = []
        self._order = 0

    def run(self, workers: int) -> Iterator[ReplayedTrial]:
        for _ in range(workers):
            self._begin(0.0)
        while self._events:
            now, _, trial = heapq.heappop(self._events)
            self._spent += 1
            status = self._status(trial)
            if status is None:
                self._train(trial, now)
            else:
                yield self._end(trial, now, status)
                self._begin(now)

    def _begin(self, now: float) -> None:
        if self._begun == self._trials:
            return
        self._begun += 1
        proposal = self._proposals.ask()
        point = np.array(to_point(self._space, proposal.values))
        design = nearest(self._recording.points, point)
        seed = int(self._draw.integers(self._recording.seeds[design]))
        self._train(_Running(proposal.optuna_number, design, seed, proposal.values, now), now)

    def _train(self, trial: _Running, now: float) -> None:
        """One more epoch, which ends later."""
        at = trial.design, trial.seed, trial.epochs
        trial.epochs += 1
        training = float(self._recording.training_seconds[at])
        judging = float(self._recording.judging_seconds[at]) if trial.epochs in self._judged else 0.0
        trial.training += training
        trial.judging += judging
        self._order += 1
        heapq.heappush(self._events, (now + training + judging, self._order, trial))

    def _status(self, trial: _Running) -> Status | None:
        """How the trial ends after the epoch that it just trained; None where it goes on."""
        if trial.epochs == self._last_epoch:
            return "complete"
        if trial.epochs in self._rule.epochs:
            goes_on = self._rule.goes_on(trial.epochs, self._rung_costs(trial))
            return None if goes_on else "stopped_early"
        return None

    def _figures(self, trial: _Running) -> Float[np.ndarray, " objective"]:
        return self._recording.objectives[trial.design, trial.seed, trial.epochs - 1]

    def _rung_costs(self, trial: _Running) -> Float[np.ndarray, " objective"]:
        figures = self._figures(trial)
        by_column = dict(zip(self._columns, figures.tolist(), strict=True))
        violation = total_violation(self._constraints, trial.values, by_column)
        return constrained(figures * self._signs, np.inf if violation is None else violation)

    def _end(self, trial: _Running, now: float, status: Status) -> ReplayedTrial:
        figures = self._figures(trial)
        self._proposals.tell(trial.number, status, dict(zip(self._columns, figures.tolist(), strict=True)))
        if status == "complete":
            self._front.add(figures * self._signs)
        return ReplayedTrial(
            number=trial.number,
            design=trial.design,
            recorded_seed=trial.seed,
            status=status,
            epochs=trial.epochs,
            objectives=tuple(figures.tolist()),
            started_seconds=trial.started,
            ended_seconds=now,
            training_seconds=trial.training,
            judging_seconds=trial.judging,
            joint_epochs_spent=self._spent,
            hypervolume=self._front.hypervolume,
            front_size=self._front.size,
        )


def nearest(points: Float[np.ndarray, "design parameter"], point: Float[np.ndarray, " parameter"]) -> int:
    """StudyStorage of the recorded design nearest to `point`; of equally near ones the first."""
    apart = points - point
    return int(np.einsum("dp,dp->d", apart, apart).argmin())
