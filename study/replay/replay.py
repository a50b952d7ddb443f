"""Replays a search over a recorded study in virtual time, with the real sampler and stopping rule but no training.

A proposal gets the figures of the recorded design nearest to it in the space's unit cube (Euclidean distance), from one
of the design's seeds, drawn at random. A worker's clock advances by the recorded seconds of each joint epoch, and of a
judgement after epochs at which the stopping rule decides or the trial ends. Stage 1 is shared between trials, so its
seconds count for none of them.
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
from study.search.halving import Rungs, constrained_costs
from study.search.proposals import Proposals
from study.spec.constraints import total_violation
from study.spec.spec import StudySpec


@dataclass(frozen=True)
class ReplayedTrial:
    """A trial that ended, and the state of the whole search at that moment.

    `design` and `recorded_seed` are indices into the recording's arrays. Times are virtual seconds since the search
    started; `training_seconds` and `judging_seconds` are those of this trial. `joint_epochs_spent` counts the epochs of
    all trials, including running ones. `hypervolume` and `front_size` are those of the `complete` trials.
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
    """Decides after certain joint epochs whether a trial continues."""

    @property
    def epochs(self) -> frozenset[int]:
        """The joint epochs, before the last, after which the rule decides."""
        ...

    def promotes(self, epoch: int, costs: Float[np.ndarray, " objective"]) -> bool:
        """Record a trial's costs after `epoch`, and return whether the trial continues."""
        ...


def replay(
    recording: Recording, spec: StudySpec, workers: int, rule: StoppingRule | None = None
) -> Iterator[ReplayedTrial]:
    """Yield the trials of the search that `spec` describes, in the order in which they end.

    Equal arguments give equal trials. `sampler`, `constraints`, `early_stopping`, `trials` and `seed` of the spec are
    used; its space, budget and objectives have to be those of the recording. `rule` replaces the spec's stopping rule.
    Trials are computed while the caller iterates, so it can stop at any time. Raises StudyError if a constraint is on a
    figure that is not recorded.
    """
    recorded = {*recording.space.parameters, *(objective.column for objective in spec.search_objectives)}
    for constraint in spec.search_constraints:
        if constraint.name not in recorded:
            raise StudyError(
                f"constraint {constraint.text!r} cannot be replayed: a recording holds {', '.join(sorted(recorded))}"
            )
    return _Replay(recording, spec, rule or spec_rule(spec)).run(workers)


def spec_rule(spec: StudySpec) -> Rungs:
    """Return the stopping rule of the spec, as in a real study. Without early stopping it has no rungs."""
    stopping = spec.early_stopping
    reference = np.array([objective.worst_cost for objective in spec.search_objectives])
    return Rungs(stopping.rungs(spec.training.joint_epochs), stopping.reduction_factor, reference)


@dataclass
class _RunningTrial:
    number: int
    design: int
    seed: int
    values: Mapping[str, Value]
    started: float
    epochs: int = 0
    training: float = 0.0
    judging: float = 0.0


class _Replay:
    """The state of a replayed search: its workers' trials, its virtual clock and its front."""

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
        self._seed_rng = np.random.default_rng(stream_seed(spec.seed, "replay", "recorded seed"))
        self._max_trials = spec.trials
        self._last_epoch = recording.objectives.shape[2]
        self._rule = rule
        self._judged = self._rule.epochs | {self._last_epoch}
        self._front = GrowingFront(self._objectives)
        self._started_trials = 0
        self._epochs_spent = 0
        # A heap of (end of an epoch, event number, trial). The number orders events at the same time.
        self._events: list[tuple[float, int, _RunningTrial]] = []
        self._next_event = 0

    def run(self, workers: int) -> Iterator[ReplayedTrial]:
        """Yield the trials of all workers in the order in which they end."""
        for _ in range(workers):
            self._start_trial(0.0)
        while self._events:
            now, _, trial = heapq.heappop(self._events)
            self._epochs_spent += 1
            status = self._status(trial)
            if status is None:
                self._train_epoch(trial, now)
            else:
                yield self._end(trial, now, status)
                self._start_trial(now)

    def _start_trial(self, now: float) -> None:
        if self._started_trials == self._max_trials:
            return
        self._started_trials += 1
        proposal = self._proposals.ask()
        point = np.array(to_point(self._space, proposal.values))
        design = nearest_design(self._recording.points, point)
        seed = int(self._seed_rng.integers(self._recording.seeds[design]))
        self._train_epoch(_RunningTrial(proposal.optuna_number, design, seed, proposal.values, now), now)

    def _train_epoch(self, trial: _RunningTrial, now: float) -> None:
        """Train one more epoch of the trial from `now` on; an event marks its end."""
        index = trial.design, trial.seed, trial.epochs
        trial.epochs += 1
        training = float(self._recording.training_seconds[index])
        judging = float(self._recording.judging_seconds[index]) if trial.epochs in self._judged else 0.0
        trial.training += training
        trial.judging += judging
        self._next_event += 1
        heapq.heappush(self._events, (now + training + judging, self._next_event, trial))

    def _status(self, trial: _RunningTrial) -> Status | None:
        """Return the status with which the trial ends after its latest epoch, or None if it continues."""
        if trial.epochs == self._last_epoch:
            return "complete"
        if trial.epochs in self._rule.epochs:
            continues = self._rule.promotes(trial.epochs, self._rung_costs(trial))
            return None if continues else "stopped_early"
        return None

    def _figures(self, trial: _RunningTrial) -> Float[np.ndarray, " objective"]:
        return self._recording.objectives[trial.design, trial.seed, trial.epochs - 1]

    def _rung_costs(self, trial: _RunningTrial) -> Float[np.ndarray, " objective"]:
        figures = self._figures(trial)
        by_column = dict(zip(self._columns, figures.tolist(), strict=True))
        violation = total_violation(self._constraints, trial.values, by_column)
        return constrained_costs(figures * self._signs, np.inf if violation is None else violation)

    def _end(self, trial: _RunningTrial, now: float, status: Status) -> ReplayedTrial:
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
            joint_epochs_spent=self._epochs_spent,
            hypervolume=self._front.hypervolume,
            front_size=self._front.size,
        )


def nearest_design(
    points: Float[np.ndarray, "design parameter"], point: Float[np.ndarray, " parameter"]
) -> int:
    """Return the index of the recorded design nearest to `point`; the first one among equally near designs."""
    differences = points - point
    return int(np.einsum("dp,dp->d", differences, differences).argmin())
