"""Ray Tune's view of the search: plans go out, what became of them comes back, the driver writes it down."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ray.tune.search import Searcher

from search_spaces.hyperparameters import resolve
from study.errors import StudyError
from study.search.proposals import Proposal, Proposals
from study.spec.spec import StudySpec
from study.trial.plan import TrialPlan
from study.trial.rows import Outcome, failed, one_line, trial_row

# Keys of a Tune config and of Tune's results; SO_FAR comes with judged epochs only.
OUTCOME, PLAN, SO_FAR, EPOCH, JOINT_EPOCH = "outcome", "plan", "so_far", "epoch", "joint_epoch"
NO_STORAGE = "no_storage"
RECORDS = "records"  # of the epochs since the last result, where the spec names loggers
MAX_DEATHS = 3  # of a trial's workers
DIED = f"{MAX_DEATHS} workers ended before the trial was final (killed, out of memory, or an error in Ray)"
MAX_ALIKE = 5  # trials in a row that may fail for one reason: the next would too


class StudySearcher(Searcher):
    """Hands out `first` (planned trials, or trials to take up again), then `trials` new proposals, as many at a time as
    there are `slots`: a design is proposed when it can run, and knows all that ended before.

    Every trial ends in `record`, with exactly one outcome, before the sampler is told. One whose worker died is handed
    out again, before new ones, and goes on from where it was saved.
    """

    def __init__(
        self,
        spec: StudySpec,
        proposals: Proposals,
        first: Iterable[TrialPlan],
        trials: int,
        record: Callable[[Outcome], None],
        slots: Callable[[], int],
    ) -> None:
        super().__init__()
        self._spec = spec
        self._proposals = proposals
        self._plans: Iterator[TrialPlan] = chain(first, self._search_plans(trials))
        self._record = record
        self._slots = slots
        self._running: dict[str, TrialPlan] = {}
        self._again: deque[TrialPlan] = deque()
        self._deaths: Counter[str] = Counter()
        self._alike: deque[str | None] = deque(maxlen=MAX_ALIKE)  # errors of the last trials
        self._error: BaseException | None = None

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """The next plan as a Tune config, None while no slot is free or one that runs may have to run again, or
        FINISHED."""
        if self._error:
            return Searcher.FINISHED
        if len(self._running) >= self._slots():
            return None
        try:
            plan = self._again.popleft() if self._again else next(self._plans, None)
        except OSError as problem:
            self._error = problem
            return Searcher.FINISHED
        if plan is None:
            return None if self._running else Searcher.FINISHED
        self._running[trial_id] = plan
        return {PLAN: plan.to_json()}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Writes the trial's rows, then tells the sampler; without an outcome its worker died, and it runs again."""
        plan = self._running.pop(trial_id, None)
        if plan is None:
            return
        if error:
            self._deaths[plan.trial_id] += 1
            if self._deaths[plan.trial_id] < MAX_DEATHS:
                self._again.append(plan)
                return
        if result and NO_STORAGE in result:  # the trial is not over: a resume takes it up
            self._error = self._error or StudyError(result[NO_STORAGE])
            return
        outcome = self._outcome(plan, result or {}, error)
        try:
            self._record(outcome)
            self._tell(plan, outcome)
        except Exception as problem:  # noqa: BLE001  Tune goes on without a word; `raise_if_failed` tells it
            self._error = self._error or problem
            return
        self._stop_if_alike(outcome.trial.get("error") if outcome.trial["status"] == "failed" else None)

    def raise_if_failed(self) -> None:
        """Raises what kept a result from being written, or trials from being worth running, if anything did.

        StudyError where storage or rows are to blame; anything else is an error in this code, and raised as it is.
        """
        if isinstance(self._error, OSError | ValueError):
            raise StudyError(f"results could not be written: {one_line(str(self._error))}") from self._error
        if self._error:
            raise self._error

    def _stop_if_alike(self, error: str | None) -> None:
        self._alike.append(error)
        if error and self._alike.count(error) == MAX_ALIKE:
            self._error = StudyError(
                f"stopped: {MAX_ALIKE} trials in a row failed for one reason: {error}; mend it, then resume the study"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its searcher into a snapshot that no resume reads."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the journal and the tables are what a resume reads."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: see `save`."""

    def _outcome(self, plan: TrialPlan, result: Mapping[str, Any], error: bool) -> Outcome:
        if error:
            return failed(plan, self._spec, DIED)
        if OUTCOME in result:
            return Outcome.from_json(result[OUTCOME])
        if SO_FAR in result:  # the scheduler stopped it at a rung
            return Outcome.from_json(result[SO_FAR])
        return Outcome(trial_row(plan, self._spec, "stopped_early", epochs=result.get(EPOCH, 0)))

    def _tell(self, plan: TrialPlan, outcome: Outcome) -> None:
        if plan.optuna_number is not None:
            self._proposals.tell(plan.optuna_number, outcome.trial["status"], outcome.trial)

    def _search_plans(self, trials: int) -> Iterator[TrialPlan]:
        for _ in range(trials):
            yield search_plan(self._proposals.ask(), self._spec)


def search_plan(proposal: Proposal, spec: StudySpec) -> TrialPlan:
    """The trial that measures `proposal`; all search trials share the spec's seed."""
    return TrialPlan(
        trial_id=f"trial-{proposal.optuna_number:05d}",
        optuna_number=proposal.optuna_number,
        phase="search",
        method="aia",
        values=resolve(proposal.values, spec.fixed),
        seed=spec.seed,
    )
