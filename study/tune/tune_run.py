"""Runs trials on Ray Tune, on the cluster that this process is connected to."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from rich.console import Console

from analysis.tables.reader import open_tables, read_epochs, read_trials
from search_spaces.hyperparameters import HYPERPARAMETERS
from study.errors import StudyError
from study.interrupts import terminated_as_interrupted
from study.lifecycle.checkpoint_pruning import CheckpointPruner
from study.lifecycle.study_directory import StudyDirectory
from study.search.proposals import Proposals
from study.storage.outcome import Outcome
from study.storage.paths import JOURNAL, STATES
from study.storage.prepared_cache import share_prepared
from study.storage.results_store import FLUSH_SECONDS, ResultsStore
from study.storage.retry import retry_storage
from study.trial.plan import TrialPlan
from study.trial.run import TrialContext
from study.tune.loggers import study_loggers
from study.tune.node_check import require_shared
from study.tune.progress import Progress
from study.tune.scheduler import MultiObjectiveHalving
from study.tune.searcher import OUTCOME, StudySearcher
from study.tune.trainable import AIATrainable

SECONDS_BETWEEN_COUNTS = 2.0  # between two counts of the cluster's nodes
GPU_SHARE = 0.25  # share of one GPU for a trial, where `gpus_per_trial` is auto and the cluster has GPUs


@dataclass
class _PublishedJournal:
    """The journal as it was last copied to the study's storage: its size, and the time by `time.monotonic()`."""

    size: int = 0
    at: float = -math.inf


@dataclass(frozen=True)
class RunContext:
    """What all parts of one run of a study share. The run ends at `ends`, by `time.monotonic()`, or when it is done."""

    study: StudyDirectory
    store: ResultsStore
    console: Console
    ends: float
    _published: _PublishedJournal = field(default_factory=_PublishedJournal)

    def flush_if_due(self) -> None:
        """Write pending rows to the tables when that is due, and then, or after `FLUSH_SECONDS`, publish the journal,
        which also knows the trials that are still running."""
        now = time.monotonic()
        if self.store.flush_if_due(now) or now - self._published.at >= FLUSH_SECONDS:
            self.publish_journal()

    def publish_journal(self) -> None:
        """Copy the journal to the study's storage, where that is not on this machine; a failed copy is left to the next
        call. StudyError where another process has begun to write the study."""
        self._published.at = time.monotonic()
        journal = self.study.path / JOURNAL
        size = journal.stat().st_size if journal.is_file() else 0
        if self.study.storage.remote and size != self._published.size:
            self.store.check()
            with suppress(OSError):
                self.study.storage.upload(JOURNAL)
                self._published.size = size


def run_trials(run: RunContext, proposals: Proposals, plans: list[TrialPlan], proposals_wanted: int) -> None:
    """Run `plans`, then `proposals_wanted` designs that the sampler proposes, and record each trial when it is final.

    StudyError where no node can run a trial, where a logger cannot start, where results could not be written, or where
    trials keep failing with one error.
    """
    study, store = run.study, run.store
    require_shared(study.storage)
    resources = _trial_resources(study)
    capacity = ClusterCapacity(resources)
    capacity.require_one()
    loggers = study_loggers(study.spec, study.path, run.console)
    recorded = recorded_trials(run)
    checkpoints = CheckpointPruner(study.storage, study.spec, recorded)
    with (
        Progress(run.console, len(plans) + proposals_wanted, recorded) as progress,
        # Tune may still write into the folder when the run is interrupted.
        TemporaryDirectory(prefix="aia-study-ray-", ignore_cleanup_errors=True) as scratch,
    ):

        def record(outcome: Outcome) -> None:
            retry_storage(lambda: store.append(outcome))
            retry_storage(run.flush_if_due)
            progress.finished(outcome.trial)
            checkpoints.add(outcome.trial)
            with suppress(OSError):
                study.storage.remove(f"{STATES}/{outcome.trial['trial_id']}")

        searcher = StudySearcher(study.spec, proposals, plans, proposals_wanted, record, capacity.trials)
        context = TrialContext(
            study.spec,
            str(share_prepared(study.prepared, study.parent)),
            str(study.storage.location.resolve()),
            study.attack_prepared and str(share_prepared(study.attack_prepared, study.parent)),
        )
        trainable = tune.with_resources(tune.with_parameters(AIATrainable, context=context), resources)
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=_scheduler(run),
                num_samples=-1,  # the searcher decides when the run ends: a trial may run several times
                time_budget_s=None if run.ends == math.inf else max(run.ends - time.monotonic(), 0.1),
                reuse_actors=True,
                trial_name_creator=_trial_name,
                trial_dirname_creator=_directory_name,
            ),
            run_config=tune.RunConfig(
                # No resume reads what Tune writes. A shared storage path would have every worker copy Tune's own, here
                # empty, checkpoints there, and lose a trial's rows while that storage is away.
                storage_path=scratch,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
                callbacks=[progress, *loggers, _Housekeeping(run)],
            ),
        )
        with terminated_as_interrupted():
            tuner.fit()
        searcher.raise_if_failed()


class _Housekeeping(tune.Callback):
    """Writes pending rows to the tables also while no trial ends, and frees the memory of recorded rows."""

    def __init__(self, run: RunContext) -> None:
        self._run = run

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing to pickle: Tune pickles its callbacks into a snapshot that no resume reads."""
        return {}

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Ray Tune: once in each round of its loop. A failed write is reported when the next trial is recorded."""
        with suppress(OSError):
            self._run.flush_if_due()

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Ray Tune: a trial ended and its rows are recorded. Tune would keep its last result until the run ends."""
        trial.last_result.pop(OUTCOME, None)


def _scheduler(run: RunContext) -> TrialScheduler:
    spec = run.study.spec
    if spec.early_stopping.rule == "none":
        return FIFOScheduler()
    return MultiObjectiveHalving(
        spec.search_objectives,
        spec.early_stopping.grace_epochs,
        spec.early_stopping.reduction_factor,
        spec.training.joint_epochs,
        spec.search_constraints,
        _recorded_epochs(run),
    )


def _recorded_epochs(run: RunContext) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the judged epochs of the search trials of earlier runs: the joint epoch, and a row of hyperparameters and
    figures."""
    trials = {row["trial_id"]: row for row in recorded_trials(run)}
    if not trials:
        return
    training = run.study.spec.training
    epochs = read_epochs(open_tables(run.study.path))
    for row in epochs.iter_rows(named=True):
        trial = trials[row["trial_id"]]
        if trial["optuna_number"] is not None and row["judging_seconds"] is not None:
            hyperparameters = {name: trial[name] for name in HYPERPARAMETERS}
            yield row["epoch"] - training.stage1_epochs - training.heads_epochs, hyperparameters | row


def _trial_name(trial: Trial) -> str:
    """Return our trial's id: loggers show it as the name of the run."""
    return trial.config["trial_id"]


def _directory_name(trial: Trial) -> str:
    """Return the name of Ray's own folder of a trial. It ends in Ray's id, which is new where a trial runs again."""
    return f"{trial.config['trial_id']}-{trial.trial_id}"


def _trial_resources(study: StudyDirectory) -> dict[str, float]:
    requested = study.spec.resources
    gpus = requested.gpus_per_trial
    if gpus == "auto":
        gpus = GPU_SHARE if ray.cluster_resources().get("GPU", 0) > 0 else 0.0
    return {"CPU": requested.cpus_per_trial, "GPU": gpus}


class ClusterCapacity:
    """How many trials of given `resources` fit the cluster's nodes at once; nodes may join and leave."""

    def __init__(self, resources: Mapping[str, float]) -> None:
        self._resources = {name: amount for name, amount in resources.items() if amount}
        self._trials = 0
        self._counted_at = -math.inf

    def trials(self) -> int:
        """Return how many trials fit the nodes that were alive at the last count, at most some seconds ago."""
        if time.monotonic() - self._counted_at >= SECONDS_BETWEEN_COUNTS:
            self._trials = sum(
                int(min(node.get(name, 0) / amount for name, amount in self._resources.items()))
                for node in _nodes()
            )
            self._counted_at = time.monotonic()
        return self._trials

    def require_one(self) -> None:
        """StudyError where no node has the resources of one trial."""
        if not self.trials():
            requested = " and ".join(f"{amount:g} {name}" for name, amount in self._resources.items())
            largest = ", ".join(
                f"{max(node.get(name, 0) for node in _nodes()):g} {name}" for name in self._resources
            )
            raise StudyError(
                f"a trial asks for {requested}, but no node has that: the most a node has is {largest}"
            )


def _nodes() -> list[dict[str, float]]:
    """Return the resources of each node that is alive."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def recorded_trials(run: RunContext) -> list[dict[str, Any]]:
    """Return the rows of `trials` that are in the tables; none where no trial has been recorded yet."""
    if not run.store.trial_ids():
        return []
    return read_trials(open_tables(run.study.path)).rows(named=True)
