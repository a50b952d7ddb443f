"""The search as Ray Tune's searcher: it hands out plans, has each outcome recorded, and then tells the sampler."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ray.tune.search import Searcher

from search_spaces.hyperparameters import resolve
from study.errors import StudyError
from study.search.proposals import Proposal, Proposals
from study.spec.spec import StudySpec
from study.storage.outcome import Outcome
from study.trial.plan import TrialPlan
from study.trial.rows import failed, one_line, trial_row

# Keys of Tune's results. The other keys are columns of the tables.
EPOCH, JOINT_EPOCH = "epoch", "joint_epoch"
# The trial's rows if it ends with this result: in its last result, and where it was judged.
OUTCOME = "outcome"
NO_STORAGE = "no_storage"  # in place of an outcome: why the trial cannot end
MAX_DEATHS = 3  # workers that may die while they run one trial
DIED = f"{MAX_DEATHS} workers ended before the trial was final (killed, out of memory, or an error in Ray)"
MAX_SAME_ERRORS = 5  # trials in a row that may fail with one error: the next trial would fail too


class StudySearcher(Searcher):
    """Hands out `plans` (planned trials, and trials that an earlier run left unfinished), then `proposals_wanted`
    designs that the sampler proposes. At most `capacity()` trials run at once, so that a design is proposed only when
    it can run and the sampler knows the outcomes of all trials that ended before.

    Every trial ends with exactly one outcome, which `record` writes before the sampler is told. A trial whose worker
    died is handed out again, before any other, and continues from its saved training.
    """

    def __init__(
        self,
        spec: StudySpec,
        proposals: Proposals,
        plans: Iterable[TrialPlan],
        proposals_wanted: int,
        record: Callable[[Outcome], None],
        capacity: Callable[[], int],
    ) -> None:
        super().__init__()
        self._spec = spec
        self._proposals = proposals
        self._plans: Iterator[TrialPlan] = chain(plans, self._proposed_plans(proposals_wanted))
        self._record = record
        self._capacity = capacity
        self._running: dict[str, TrialPlan] = {}  # by Ray's id of the trial
        self._to_run_again: deque[TrialPlan] = deque()
        self._deaths: Counter[str] = Counter()
        self._last_errors: deque[str | None] = deque(maxlen=MAX_SAME_ERRORS)
        self._error: BaseException | None = None

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """Ray Tune: return the next plan as a Tune config, FINISHED where there are no more, or None while the cluster
        is full or a running trial may still have to run again."""
        if self._error:
            return Searcher.FINISHED
        if len(self._running) >= self._capacity():
            return None
        try:
            plan = self._to_run_again.popleft() if self._to_run_again else next(self._plans, None)
        except OSError as problem:
            self._error = problem
            return Searcher.FINISHED
        if plan is None:
            return None if self._running else Searcher.FINISHED
        self._running[trial_id] = plan
        return plan.to_config()

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Ray Tune: a trial ended. Records its outcome, then tells the sampler; with `error` its worker died, and the
        trial runs again."""
        plan = self._running.pop(trial_id, None)
        if plan is None:
            return
        if error:
            self._deaths[plan.trial_id] += 1
            if self._deaths[plan.trial_id] < MAX_DEATHS:
                self._to_run_again.append(plan)
                return
        if result and NO_STORAGE in result:  # the trial is unfinished: a resume continues it
            self._error = self._error or StudyError(result[NO_STORAGE])
            return
        outcome = self._outcome(plan, result or {}, error)
        try:
            self._record(outcome)
            self._tell(plan, outcome)
        except Exception as problem:  # noqa: BLE001  Tune would only log it; `raise_if_failed` raises it
            self._error = self._error or problem
            return
        self._stop_if_same_errors(outcome)

    def raise_if_failed(self) -> None:
        """Raise the error that ended the run, if there was one.

        StudyError where results could not be written or trials keep failing. Any other error is a defect of this
        program and is raised unchanged.
        """
        if isinstance(self._error, OSError | ValueError):
            raise StudyError(f"results could not be written: {one_line(str(self._error))}") from self._error
        if self._error:
            raise self._error

    def _stop_if_same_errors(self, outcome: Outcome) -> None:
        error = outcome.trial.get("error") if outcome.trial["status"] == "failed" else None
        self._last_errors.append(error)
        if error and self._last_errors.count(error) == MAX_SAME_ERRORS:
            self._error = StudyError(
                f"stopped: {MAX_SAME_ERRORS} trials in a row failed for one reason: {error}; remove the cause, then"
                " resume the study"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing to pickle: Tune pickles its searcher into a snapshot that no resume reads."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Does nothing: a resume reads the journal and the tables."""

    def restore(self, checkpoint_path: str) -> None:
        """Does nothing: see `save`."""

    def _outcome(self, plan: TrialPlan, result: Mapping[str, Any], error: bool) -> Outcome:
        if error:
            return failed(plan, self._spec, DIED)
        if OUTCOME in result:
            return result[OUTCOME]
        return Outcome(trial_row(plan, self._spec, "stopped_early", epochs=result.get(EPOCH, 0)))

    def _tell(self, plan: TrialPlan, outcome: Outcome) -> None:
        if plan.optuna_number is not None:
            self._proposals.tell(plan.optuna_number, outcome.trial["status"], outcome.trial)

    def _proposed_plans(self, trials: int) -> Iterator[TrialPlan]:
        for _ in range(trials):
            yield search_plan(self._proposals.ask(), self._spec)


def search_plan(proposal: Proposal, spec: StudySpec) -> TrialPlan:
    """Return the trial that measures `proposal`; all search trials have the spec's seed."""
    return TrialPlan(
        trial_id=f"trial-{proposal.optuna_number:05d}",
        optuna_number=proposal.optuna_number,
        phase="search",
        method="aia",
        values=resolve(proposal.values, spec.fixed),
        seed=spec.seed,
    )
