"""Runs what a study lacks, on this machine or on the cluster at an address."""

import math
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

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
from study.tune.tune_run import Run, fit, recorded_rows


@dataclass(frozen=True)
class RunSummary:
    """How many trials this run was to finish, how many it did before it ended, how long it took, and whether it ended
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
    """Runs what the study still lacks: planned trials, those that a dead driver left, then new proposals; when all are
    recorded, what confirms the front. Without `search`, only that, for the front so far.

    After `hours` trials under way are saved and the run ends. Returns at once where nothing is lacking. StudyError
    where another driver writes the study.
    """
    started = time.monotonic()
    ends = math.inf if hours is None else started + 3600 * hours
    with ResultsStore(study.storage) as store, ExitStack() as session:
        study.storage.download(JOURNAL)  # not before: until then another may write it
        run = Run(study, store, console, ends)
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


def _search(run: Run, address: str | None, session: ExitStack) -> int:
    """Runs the trials of the search and those beside it; how many there were to run."""
    study, store, spec = run.study, run.store, run.study.spec
    refuse_other_release(study)
    proposals = _proposals(study)
    proposals.restore_lost_trials(recorded_rows(study).values())
    _warm_start(spec, proposals, run.console)
    taken_up = _reclaimed(study, store, proposals)
    first = [*_missing(spec, store), *taken_up]
    new = max(spec.trials - len(_search_ids(store)) - len(taken_up), 0)
    if first or new:
        session.enter_context(connected(address))
        fit(run, proposals, first, new)
    return len(first) + new


def _confirm(run: Run, address: str | None, session: ExitStack) -> int:
    """Runs the trials that confirm the front of what is recorded; how many there were to run."""
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
        fit(run, _proposals(study), lacking, 0)
    return len(lacking)


def _remove_states(study: StudyDirectory, store: ResultsStore) -> None:
    """Of trials that are recorded: a driver that died between the two left one, a worker that was told late too."""
    with suppress(OSError):  # the next run does it
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
    """How many trials of the search and beside it are not recorded."""
    return len(_missing(spec, store)) + max(spec.trials - len(_search_ids(store)), 0)


def _warm_start(spec: StudySpec, proposals: Proposals, console: Console) -> None:
    """Begins the search with the earlier study's trials, once; then that study is not needed any more."""
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


def _reclaimed(study: StudyDirectory, store: ResultsStore, proposals: Proposals) -> list[TrialPlan]:
    """Trials that were asked for and never told: recorded ones are told now, complete designs run again."""
    recorded = recorded_rows(study)
    plans = []
    for proposal in proposals.running():
        plan = search_plan(proposal, study.spec)
        if plan.trial_id in recorded:
            row = recorded[plan.trial_id]
            proposals.tell(proposal.optuna_number, row["status"], row)
        elif proposal.values.keys() == set(searched_space(study.spec).active(proposal.values)):
            plans.append(plan)
        else:  # the driver died while the design was being drawn
            proposals.tell(proposal.optuna_number, "failed", {})
    return plans
