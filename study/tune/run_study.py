"""Runs the trials that a study lacks, on this machine or on the cluster at an address."""

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from analysis.tables.reader import open_tables, read_trials
from study.lifecycle.confirmation_trials import confirmation_trials
from study.lifecycle.planned_trials import planned_trials
from study.lifecycle.study_directory import StudyDirectory
from study.lifecycle.study_extension import refuse_other_release
from study.search.proposals import Proposals
from study.search.warm_start import read_earlier_trials
from study.spec.spec import StudySpec, searched_space
from study.storage.paths import JOURNAL, STATES
from study.storage.results_store import ResultsStore
from study.trial.plan import TrialPlan
from study.tune.cluster import connected
from study.tune.searcher import search_plan
from study.tune.tune_run import RunContext, recorded_trials, run_trials


@dataclass(frozen=True)
class RunSummary:
    """What a run did: how many trials it was to finish, how many it finished, how long it took, and whether it ended
    because its hours were over."""

    planned: int
    finished: int
    wall_seconds: float
    out_of_time: bool


def run_study(
    study: StudyDirectory,
    address: str | None,
    console: Console,
    *,
    search: bool = True,
    hours: float | None = None,
) -> RunSummary:
    """Run the trials that the study lacks: planned trials, trials that a dead driver left unfinished, then new
    proposals. When all of them are recorded, the trials that confirm the front follow; without `search` only those, for
    the front so far.

    After `hours`, running trials are saved and the run ends. Returns at once where no trial is lacking. StudyError
    where another driver writes the study.
    """
    started = time.monotonic()
    ends = math.inf if hours is None else started + 3600 * hours
    with ResultsStore(study.storage) as store, ExitStack() as session:
        # Only now: before the store is open another driver may write the journal.
        study.storage.download(JOURNAL)
        run = RunContext(study, store, console, ends)
        session.callback(_remove_states, study, store)
        session.callback(run.publish_journal)
        before = len(store.trial_ids())
        lacking = _lacking(study.spec, store)
        planned = 0
        if lacking and search:
            planned = _search(run, address, session)
        elif lacking and study.spec.confirm_seeds:
            console.print(
                f"the front so far is confirmed; the search lacks trials ({lacking}): aia-study resume"
                f" {study.storage.shell_argument}",
                highlight=False,
            )
        if len(store.trial_ids()) - before == planned:
            planned += _confirm(run, address, session)
        finished = len(store.trial_ids()) - before
    now = time.monotonic()
    return RunSummary(planned, finished, now - started, out_of_time=now >= ends)


def _search(run: RunContext, address: str | None, session: ExitStack) -> int:
    """Run the trials of the search, the designs and the baselines; return how many there were to run."""
    study, store, spec = run.study, run.store, run.study.spec
    refuse_other_release(study)
    recorded = recorded_trials(run)
    proposals = _proposals(study)
    proposals.restore_lost_trials(recorded)
    _warm_start(spec, proposals, run.console)
    unfinished = _unfinished(spec, proposals, {row["trial_id"]: row for row in recorded})
    plans = [*_missing(spec, store), *unfinished]
    proposals_wanted = max(spec.trials - len(_search_ids(store)) - len(unfinished), 0)
    if plans or proposals_wanted:
        session.enter_context(connected(address))
        run_trials(run, proposals, plans, proposals_wanted)
    return len(plans) + proposals_wanted


def _confirm(run: RunContext, address: str | None, session: ExitStack) -> int:
    """Run the trials that confirm the front of the recorded trials; return how many there were to run."""
    study, store, console = run.study, run.store, run.console
    if not study.spec.confirm_seeds:
        return 0
    store.flush()
    plans = confirmation_trials(read_trials(open_tables(study.path)), study.spec)
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
        run_trials(run, _proposals(study), lacking, 0)
    return len(lacking)


def _remove_states(study: StudyDirectory, store: ResultsStore) -> None:
    """Remove the saved trainings of recorded trials. They exist where a driver died between recording a trial and
    removing its saved training, or where a worker saved once more after that."""
    with suppress(OSError):  # the next run removes what is left
        for name in study.storage.list_folder(STATES):
            if name.removeprefix(".").removesuffix(".removed") in store.trial_ids():
                with suppress(OSError):
                    study.storage.remove(f"{STATES}/{name}")


def _proposals(study: StudyDirectory) -> Proposals:
    spec = study.spec
    return Proposals(
        study.path,
        spec.name,
        searched_space(spec),
        spec.sampler,
        spec.seed,
        spec.search_objectives,
        spec.search_constraints,
    )


def _missing(spec: StudySpec, store: ResultsStore) -> list[TrialPlan]:
    return [plan for plan in planned_trials(spec) if plan.trial_id not in store.trial_ids()]


def _lacking(spec: StudySpec, store: ResultsStore) -> int:
    """Return how many trials of the search, designs and baselines are not recorded."""
    return len(_missing(spec, store)) + max(spec.trials - len(_search_ids(store)), 0)


def _warm_start(spec: StudySpec, proposals: Proposals, console: Console) -> None:
    """Take the trials of the earlier study into the journal, once; that study is not needed afterwards."""
    if spec.warm_start is None or proposals.warm_started:
        return
    earlier = read_earlier_trials(spec)
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


def _unfinished(
    spec: StudySpec, proposals: Proposals, recorded: Mapping[str, Mapping[str, Any]]
) -> list[TrialPlan]:
    """Return the proposed trials that an earlier run left without an outcome, to run them again.

    `recorded` are the `trials` rows by trial: the sampler is told the outcome of a trial that is among them. A trial
    whose design is incomplete, because the driver died while it was being drawn, fails.
    """
    plans = []
    for proposal in proposals.running():
        plan = search_plan(proposal, spec)
        if plan.trial_id in recorded:
            row = recorded[plan.trial_id]
            proposals.tell(proposal.optuna_number, row["status"], row)
        elif proposal.values.keys() == set(searched_space(spec).active(proposal.values)):
            plans.append(plan)
        else:
            proposals.tell(proposal.optuna_number, "failed", {})
    return plans
