"""Runs a study's trials on Ray Tune: on this machine, or on the cluster at an address."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import polars as pl
import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from rich.console import Console

from analysis.tables import open_study, read_trials
from search_spaces.hyperparameters import HYPERPARAMETERS
from study.cluster import connected
from study.confirmation import confirming_trials
from study.errors import StudyError
from study.launch import StudyDirectory, refuse_other_release
from study.outcome import Outcome
from study.plan import TrialPlan
from study.planned import planned_trials
from study.progress import Progress
from study.proposals import Proposals
from study.scheduler import MultiObjectiveHalving
from study.searcher import PLAN, StudySearcher, search_plan
from study.spec import StudySpec, space
from study.store import ResultsStore
from study.trainable import AIATrainable
from study.trial import TrialContext
from study.warm_start import read_earlier

GPU_SHARE = 0.25  # of one GPU, where `gpus_per_trial` is auto and the cluster has any


@dataclass(frozen=True)
class RunSummary:
    """How many trials this run was to finish, how many it did before it ended, and how long it took."""

    planned: int
    finished: int
    wall_seconds: float


def run_study(
    study: StudyDirectory, address: str | None, console: Console, *, search: bool = True
) -> RunSummary:
    """Runs what the study still lacks: planned trials, those that a dead driver left, then new proposals; when all are
    recorded, what confirms the front. Without `search`, only that, for the front so far.

    Returns at once where nothing is lacking. StudyError where another driver writes the study.
    """
    started = time.monotonic()
    with ResultsStore(study.path) as store, ExitStack() as session:
        before = len(store.trial_ids())
        lacking = _lacking(study.spec, store)
        planned = 0
        if lacking and search:
            planned = _search(study, store, address, console, session)
        elif lacking and study.spec.confirm_seeds:
            console.print(
                f"the front so far is confirmed; the search lacks trials ({lacking}): aia-study resume {study.path}",
                highlight=False,
            )
        if len(store.trial_ids()) - before == planned:
            planned += _confirm(study, store, address, console, session)
        finished = len(store.trial_ids()) - before
    return RunSummary(planned, finished, time.monotonic() - started)


def _search(
    study: StudyDirectory, store: ResultsStore, address: str | None, console: Console, session: ExitStack
) -> int:
    """Runs the trials of the search and those beside it; how many there were to run."""
    refuse_other_release(study)
    spec = study.spec
    proposals = _proposals(study)
    _warm_start(spec, proposals, console)
    taken_up = _reclaimed(study, store, proposals)
    first = [*_missing(spec, store), *taken_up]
    new = max(spec.trials - len(_search_ids(store)) - len(taken_up), 0)
    if first or new:
        session.enter_context(connected(address))
        _fit(study, store, proposals, first, new, console)
    return len(first) + new


def _confirm(
    study: StudyDirectory, store: ResultsStore, address: str | None, console: Console, session: ExitStack
) -> int:
    """Runs the trials that confirm the front of what is recorded; how many there were to run."""
    if not study.spec.confirm_seeds:
        return 0
    store.flush()
    plans = confirming_trials(read_trials(open_study(study.path)), study.spec)
    lacking = [plan for plan in plans if plan.trial_id not in store.trial_ids()]
    if not plans:
        console.print("nothing to confirm: no complete search trial is judged and within the constraints")
    if lacking:
        refuse_other_release(study)
        session.enter_context(connected(address))
        designs = len(plans) // study.spec.confirm_seeds
        console.print(
            f"confirming the front, designs x fresh seeds = {designs} x {study.spec.confirm_seeds}:"
            f" {len(lacking)} of {len(plans)} trials are lacking",
            highlight=False,
        )
        _fit(study, store, _proposals(study), lacking, 0, console)
    return len(lacking)


def _fit(
    study: StudyDirectory,
    store: ResultsStore,
    proposals: Proposals,
    first: list[TrialPlan],
    new: int,
    console: Console,
) -> None:
    resources = _trial_resources(study)
    parallel = _slots(resources)
    with Progress(console, len(first) + new, _recorded_rows(study).values()) as progress:

        def record(outcome: Outcome) -> None:
            store.append(outcome)
            store.flush_if_due(time.monotonic())
            progress.finished(outcome.trial)

        searcher = StudySearcher(study.spec, proposals, first, new, record)
        context = TrialContext(
            study.spec.model_dump_json(), str(study.prepared.resolve()), str(study.path.resolve())
        )
        trainable = tune.with_resources(tune.with_parameters(AIATrainable, context=context), resources)
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=_scheduler(study),
                num_samples=len(first) + new,
                max_concurrent_trials=parallel,
                reuse_actors=True,
                trial_dirname_creator=_directory_name,
            ),
            run_config=tune.RunConfig(
                name="ray",
                storage_path=str(study.path.resolve()),
                verbose=0,
                callbacks=[progress, _Flush(store)],
            ),
        )
        tuner.fit()
        searcher.raise_if_failed()


class _Flush(tune.Callback):
    """Makes rows visible in time also while no trial ends."""

    def __init__(self, store: ResultsStore) -> None:
        self._store = store

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks into a snapshot that no resume reads."""
        return {}

    def on_step_end(self, iteration: int, trials: list, **info: Any) -> None:
        """Ray Tune: once around its loop. Where parts cannot be written the next recorded trial says so."""
        with suppress(OSError):
            self._store.flush_if_due(time.monotonic())


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
    spec, recorded = study.spec, _recorded_rows(study)
    before = spec.training.stage1_epochs + spec.training.heads_epochs
    for row in _rows(study, "epochs"):
        trial = recorded[row["trial_id"]]
        if trial["number"] is not None and row["judging_seconds"] is not None:
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


def _slots(resources: dict[str, float]) -> int:
    """How many trials the cluster's nodes run at once; StudyError where not even one fits a node."""
    asked = {name: amount for name, amount in resources.items() if amount}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    slots = sum(int(min(node.get(name, 0) / amount for name, amount in asked.items())) for node in nodes)
    if not slots:
        wanted = " and ".join(f"{amount:g} {name}" for name, amount in asked.items())
        most = ", ".join(f"{max(node.get(name, 0) for node in nodes):g} {name}" for name in asked)
        raise StudyError(f"a trial asks for {wanted}, but no node has that: the most a node has is {most}")
    return slots


def _proposals(study: StudyDirectory) -> Proposals:
    spec = study.spec
    return Proposals(
        study.path,
        spec.name,
        space(spec),
        spec.sampler,
        spec.seed,
        spec.search_objectives,
        spec.search_constraints,
    )


def _missing(spec: StudySpec, store: ResultsStore) -> list[TrialPlan]:
    return [plan for plan in planned_trials(spec) if plan.trial_id not in store.trial_ids()]


def _lacking(spec: StudySpec, store: ResultsStore) -> int:
    """How many trials of the search and beside it are not recorded."""
    return len(_missing(spec, store)) + max(spec.trials - len(_search_ids(store)), 0)


def _warm_start(spec: StudySpec, proposals: Proposals, console: Console) -> None:
    """Begins the search with the earlier study's trials, once; then that study is not needed any more."""
    if spec.warm_start is None or proposals.warm_started:
        return
    earlier = read_earlier(spec)
    taken = proposals.warm_start(earlier.inside)
    skipped = len(earlier.inside) - taken
    console.print(
        f"warm start: {taken} trials of {spec.warm_start} taken; skipped: {earlier.outside} outside the space,"
        f" {skipped} without every figure"
    )
    if earlier.attributes != spec.attributes:
        console.print(
            f"warm start: its attackers infer {', '.join(earlier.attributes)}, this study's"
            f" {', '.join(spec.attributes)}: only you can say whether its figures help"
        )


def _search_ids(store: ResultsStore) -> list[str]:
    return [trial_id for trial_id in store.trial_ids() if trial_id.startswith("trial-")]


def _reclaimed(study: StudyDirectory, store: ResultsStore, proposals: Proposals) -> list[TrialPlan]:
    """Trials that were asked for and never told: recorded ones are told now, complete designs run again."""
    recorded = _recorded_rows(study)
    plans = []
    for proposal in proposals.unfinished():
        plan = search_plan(proposal, study.spec)
        if plan.trial_id in recorded:
            row = recorded[plan.trial_id]
            proposals.tell(proposal.number, row["status"], row)
        elif proposal.values.keys() == set(space(study.spec).active(proposal.values)):
            plans.append(plan)
        else:  # the driver died while the design was being drawn
            proposals.tell(proposal.number, "failed", {})
    return plans


def _recorded_rows(study: StudyDirectory) -> dict[str, dict]:
    return {row["trial_id"]: row for row in _rows(study, "trials")}


def _rows(study: StudyDirectory, table: str) -> Iterator[dict]:
    parts = study.path / "results" / table
    if any(parts.glob("*.parquet")):
        yield from pl.read_parquet(parts / "*.parquet").iter_rows(named=True)
