"""Ray Tune's view of the search: plans go out, what became of them comes back, the driver writes it down."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ray.tune.search import Searcher

from search_spaces.hyperparameters import resolve
from study.errors import StudyError
from study.outcome import Outcome, failed, one_line, trial_row
from study.plan import TrialPlan
from study.proposals import Proposal, Proposals
from study.spec import StudySpec

# Keys of a Tune config and of Tune's results; SO_FAR comes with judged epochs only.
OUTCOME, PLAN, SO_FAR, EPOCH, JOINT_EPOCH = "outcome", "plan", "so_far", "epoch", "joint_epoch"
DIED = "the worker ended before the trial was final (killed, out of memory, or an error in Ray)"


class StudySearcher(Searcher):
    """Hands out `first` (planned trials, or trials to take up again), then `trials` new proposals.

    Every trial ends in `record`, with exactly one outcome, before the sampler is told.
    """

    def __init__(
        self,
        spec: StudySpec,
        proposals: Proposals,
        first: Iterable[TrialPlan],
        trials: int,
        record: Callable[[Outcome], None],
    ) -> None:
        super().__init__()
        self._spec = spec
        self._proposals = proposals
        self._plans: Iterator[TrialPlan] = chain(first, self._search_plans(trials))
        self._record = record
        self._running: dict[str, TrialPlan] = {}
        self._error: BaseException | None = None

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """The next plan as a Tune config, or FINISHED."""
        plan = next(self._plans, None)
        if plan is None or self._error:
            return Searcher.FINISHED
        self._running[trial_id] = plan
        return {PLAN: plan.to_json()}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Writes the trial's rows, then tells the sampler; without an outcome the trial failed."""
        plan = self._running.pop(trial_id, None)
        if plan is None:
            return
        outcome = self._outcome(plan, result or {}, error)
        try:
            self._record(outcome)
        except (OSError, ValueError, StudyError) as problem:
            self._error = self._error or problem
            return
        self._tell(plan, outcome)

    def raise_if_failed(self) -> None:
        """Raises what kept a result from being written, if anything did."""
        if self._error:
            raise StudyError(f"results could not be written: {one_line(str(self._error))}") from self._error

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
        if plan.number is not None:
            self._proposals.tell(plan.number, outcome.trial["status"], outcome.trial)

    def _search_plans(self, trials: int) -> Iterator[TrialPlan]:
        for _ in range(trials):
            yield search_plan(self._proposals.ask(), self._spec)


def search_plan(proposal: Proposal, spec: StudySpec) -> TrialPlan:
    """The trial that measures `proposal`; all search trials share the spec's seed."""
    return TrialPlan(
        trial_id=f"trial-{proposal.number:05d}",
        number=proposal.number,
        phase="search",
        method="aia",
        values=resolve(proposal.values, spec.fixed),
        seed=spec.seed,
    )
