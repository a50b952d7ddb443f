"""Trials on Ray Tune: on this machine, or on the cluster that this process is connected to."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from rich.console import Console

from search_spaces.hyperparameters import HYPERPARAMETERS
from study.errors import StudyError
from study.interrupts import terminated_as_interrupted
from study.lifecycle.checkpoint_pruning import CheckpointPruner
from study.lifecycle.study_directory import StudyDirectory
from study.search.proposals import Proposals
from study.storage.paths import JOURNAL, STATES
from study.storage.prepared_cache import share_prepared
from study.storage.results_store import FLUSH_SECONDS, ResultsStore
from study.storage.retry import retry_storage
from study.trial.plan import TrialPlan
from study.trial.rows import Outcome
from study.trial.run import TrialContext
from study.tune.loggers import StudyLoggers
from study.tune.node_check import require_shared
from study.tune.progress import Progress
from study.tune.scheduler import MultiObjectiveHalving
from study.tune.searcher import PLAN, StudySearcher
from study.tune.trainable import AIATrainable

SECONDS_BETWEEN_COUNTS = 2.0  # of the cluster's nodes
GPU_SHARE = 0.25  # of one GPU, where `gpus_per_trial` is auto and the cluster has any


@dataclass
class _Published:
    """How large the journal was that was put last, and when, by `time.monotonic()`."""

    size: int = 0
    at: float = -math.inf


@dataclass(frozen=True)
class Run:
    """What one run of a study works with; by `time.monotonic()` it ends at `ends`, unless its work does before."""

    study: StudyDirectory
    store: ResultsStore
    console: Console
    ends: float
    _published: _Published = field(default_factory=_Published)

    def flush_if_due(self) -> None:
        """Makes rows visible when it is time to, and where nobody sees the driver's disk its journal, which knows more:
        what was asked for and still runs."""
        now = time.monotonic()
        if self.store.flush_if_due(now) or now - self._published.at >= FLUSH_SECONDS:
            self.publish_journal()

    def publish_journal(self) -> None:
        """Where that fails the next time does. StudyError where another process writes the study by now."""
        self._published.at = time.monotonic()
        journal = self.study.path / JOURNAL
        size = journal.stat().st_size if journal.is_file() else 0
        if self.study.storage.remote and size != self._published.size:
            self.store.check()
            with suppress(OSError):
                self.study.storage.upload(JOURNAL)
                self._published.size = size


def fit(run: Run, proposals: Proposals, first: list[TrialPlan], new: int) -> None:
    """Runs the trials `first`, then `new` proposals, on the cluster that this process is connected to; each is recorded
    when it is final.

    StudyError where no node can take a trial, where a logger cannot begin, where results could not be written, or where
    trials fail alike.
    """
    study, store = run.study, run.store
    require_shared(study.storage)
    resources = _trial_resources(study)
    slots = Slots(resources)
    slots.require_one()
    loggers = StudyLoggers(study.spec, study.path, run.console)
    checkpoints = CheckpointPruner(study.storage, study.spec, recorded_rows(study).values())
    with (
        Progress(run.console, len(first) + new, recorded_rows(study).values()) as progress,
        # Tune may write there still when the run is broken off.
        TemporaryDirectory(prefix="aia-study-ray-", ignore_cleanup_errors=True) as scratch,
    ):

        def record(outcome: Outcome) -> None:
            retry_storage(lambda: store.append(outcome))
            retry_storage(run.flush_if_due)
            progress.finished(outcome.trial)
            checkpoints.add(outcome.trial)
            with suppress(OSError):
                study.storage.remove(f"{STATES}/{outcome.trial['trial_id']}")

        searcher = StudySearcher(study.spec, proposals, first, new, record, slots.count)
        context = TrialContext(
            study.spec.model_dump_json(),
            str(share_prepared(study.prepared, study.parent)),
            str(study.storage.location.resolve()),
        )
        trainable = tune.with_resources(tune.with_parameters(AIATrainable, context=context), resources)
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=_scheduler(study),
                num_samples=-1,  # until the searcher says so: trials may run again
                time_budget_s=None if run.ends == math.inf else max(run.ends - time.monotonic(), 0.1),
                reuse_actors=True,
                trial_dirname_creator=_directory_name,
            ),
            run_config=tune.RunConfig(
                # What Tune writes no resume reads. Its own checkpoints, empty here, would go from every worker to a
                # storage that all share, and lose a trial's rows where that is away.
                storage_path=scratch,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
                callbacks=[progress, _Flush(run), loggers],
            ),
        )
        with terminated_as_interrupted():
            tuner.fit()
        searcher.raise_if_failed()


class _Flush(tune.Callback):
    """Makes rows visible in time also while no trial ends."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks into a snapshot that no resume reads."""
        return {}

    def on_step_end(self, iteration: int, trials: list, **info: Any) -> None:
        """Ray Tune: once around its loop. Where parts cannot be written the next recorded trial says so."""
        with suppress(OSError):
            self._run.flush_if_due()


def _scheduler(study: StudyDirectory) -> TrialScheduler:
    spec = study.spec
    if spec.early_stopping.rule == "none":
        return FIFOScheduler()
    return MultiObjectiveHalving(
        spec.search_objectives,
        spec.early_stopping.grace_epochs,
        spec.early_stopping.reduction_factor,
        spec.training.joint_epochs,
        spec.search_constraints,
        _recorded_epochs(study),
    )


def _recorded_epochs(study: StudyDirectory) -> Iterator[tuple[int, dict]]:
    """Joint epochs, with hyperparameters and figures, of the search trials' judged epochs in earlier runs."""
    spec, recorded = study.spec, recorded_rows(study)
    before = spec.training.stage1_epochs + spec.training.heads_epochs
    for row in _rows(study, "epochs"):
        trial = recorded[row["trial_id"]]
        if trial["optuna_number"] is not None and row["judging_seconds"] is not None:
            yield row["epoch"] - before, {name: trial[name] for name in HYPERPARAMETERS} | row


def _directory_name(trial: Any) -> str:
    """Ray's own folder of a trial: ours and Ray's id, since a trial that is run again is new to Ray."""
    return f"{TrialPlan.from_json(trial.config[PLAN]).trial_id}-{trial.trial_id}"


def _trial_resources(study: StudyDirectory) -> dict[str, float]:
    asked = study.spec.resources
    gpus = asked.gpus_per_trial
    if gpus == "auto":
        gpus = GPU_SHARE if ray.cluster_resources().get("GPU", 0) > 0 else 0.0
    return {"CPU": asked.cpus_per_trial, "GPU": gpus}


class Slots:
    """How many trials the cluster's nodes run at once, as nodes join and leave."""

    def __init__(self, resources: Mapping[str, float]) -> None:
        self._asked = {name: amount for name, amount in resources.items() if amount}
        self._counted = 0
        self._counted_at = -math.inf

    def count(self) -> int:
        """Of the nodes that were alive a moment ago."""
        if time.monotonic() - self._counted_at >= SECONDS_BETWEEN_COUNTS:
            self._counted = sum(
                int(min(node.get(name, 0) / amount for name, amount in self._asked.items()))
                for node in _nodes()
            )
            self._counted_at = time.monotonic()
        return self._counted

    def require_one(self) -> None:
        """StudyError where not even one trial fits a node."""
        if not self.count():
            wanted = " and ".join(f"{amount:g} {name}" for name, amount in self._asked.items())
            most = ", ".join(
                f"{max(node.get(name, 0) for node in _nodes()):g} {name}" for name in self._asked
            )
            raise StudyError(
                f"a trial asks for {wanted}, but no node has that: the most a node has is {most}"
            )


def _nodes() -> list[dict[str, float]]:
    """The resources of each node that is alive."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def recorded_rows(study: StudyDirectory) -> dict[str, dict]:
    """The `trials` rows in parts, by trial."""
    return {row["trial_id"]: row for row in _rows(study, "trials")}


def _rows(study: StudyDirectory, table: str) -> Iterator[dict]:
    parts = study.path / "results" / table
    if any(parts.glob("*.parquet")):
        yield from pl.read_parquet(parts / "*.parquet").iter_rows(named=True)
