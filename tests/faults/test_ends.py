"""Every end of a trial under real Ray Tune becomes one row and a state in Optuna."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from ray import tune

from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from analysis.tables.trial_row import Status
from search_spaces.hyperparameters import resolve
from study.errors import StudyError
from study.search.proposals import Proposals
from study.spec.files import load_spec
from study.spec.spec import searched_space
from study.storage.outcome import Outcome
from study.trial.plan import TrialPlan
from study.trial.rows import trial_row
from study.tune.searcher import NO_STORAGE, OUTCOME, StudySearcher
from tests.faults.ending import DIES, DIES_ONCE, RAISES, STOPS, Ending

SPEC = load_spec("quick")
TRIALS = 7
FIGURES = {ATTACKER.column: 0.6, MATCHING.column: 0.7}


@pytest.fixture(scope="module")
def ended(
    local_ray: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[int, dict], dict[int, TrialState]]:
    """Return the rows and the Optuna states of trials that end differently, by the trials' numbers."""
    directory: Path = tmp_path_factory.mktemp("ends")
    proposals = Proposals(directory, "ends", searched_space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    outcomes: list[Outcome] = []
    searcher = StudySearcher(SPEC, proposals, [], TRIALS, outcomes.append, lambda: 1)
    rows = {
        0: row(0, "complete", **FIGURES),
        1: row(1, "complete", **{ATTACKER.column: 0.6}),
        DIES_ONCE: row(DIES_ONCE, "complete", **FIGURES),
        6: row(6, "diverged", error="total_loss is nan"),
    }
    results = {number: {OUTCOME: Outcome(row)} for number, row in rows.items()}
    tune.Tuner(
        tune.with_parameters(Ending, folder=directory, results=results),
        tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
        run_config=tune.RunConfig(storage_path=str(directory), name="ray", verbose=0, stop={"stop_me": True}),
    ).fit()
    storage = JournalStorage(JournalFileBackend(str(directory / "search.journal")))
    trials = optuna.load_study(study_name="ends", storage=storage).trials
    states = {trial.number: trial.state for trial in trials}
    assert len(outcomes) == TRIALS, "each trial ends once"
    starts = {number: (directory / f"starts-{number}").stat().st_size for number in states}
    assert starts == {0: 1, 1: 1, RAISES: 3, DIES: 3, STOPS: 1, DIES_ONCE: 2, 6: 1}, (
        "who died runs again, three times at most"
    )
    return {outcome.trial["optuna_number"]: outcome.trial for outcome in outcomes}, states


def row(number: int, status: Status, **figures: Any) -> dict[str, Any]:
    values = resolve(searched_space(SPEC).defaults(), SPEC.fixed)
    plan = TrialPlan(f"trial-{number:05d}", number, "search", "aia", values, 0)
    return trial_row(plan, SPEC, status, **figures)


def ending(tmp_path: Path, errors: list[str | None]) -> StudySearcher:
    """Return a searcher after trials that completed or failed, one for each of `errors`."""
    proposals = Proposals(tmp_path, "ends", searched_space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    searcher = StudySearcher(SPEC, proposals, [], 20, lambda outcome: None, lambda: 1)
    for number, error in enumerate(errors):
        config = searcher.suggest(f"tune-{number}")
        assert isinstance(config, dict)
        plan = TrialPlan.from_config(config)
        status = "failed" if error else "complete"
        ended = trial_row(plan, SPEC, status, **({"error": error} if error else FIGURES))
        searcher.on_trial_complete(f"tune-{number}", {OUTCOME: Outcome(ended)})
    return searcher


def test_five_trials_in_a_row_that_fail_alike_stop_the_study(tmp_path):
    full = "OSError: [Errno 28] No space left on device"
    searcher = ending(tmp_path, [None, *[full] * 5])
    assert searcher.suggest("next") == StudySearcher.FINISHED
    with pytest.raises(
        StudyError, match=r"5 trials in a row failed for one reason: OSError: \[Errno 28\] No space"
    ):
        searcher.raise_if_failed()


def test_a_storage_that_stays_away_ends_the_run_and_leaves_the_trial_to_a_resume(tmp_path):
    recorded: list[Outcome] = []
    proposals = Proposals(tmp_path, "ends", searched_space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    searcher = StudySearcher(SPEC, proposals, [], 20, recorded.append, lambda: 1)
    assert isinstance(searcher.suggest("away"), dict)
    searcher.on_trial_complete("away", {NO_STORAGE: "/studies/x takes no files: OSError: no"})
    assert searcher.suggest("next") == StudySearcher.FINISHED
    with pytest.raises(StudyError, match="/studies/x takes no files: OSError: no"):
        searcher.raise_if_failed()
    assert recorded == []
    again = Proposals(tmp_path, "ends", searched_space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    assert [proposal.optuna_number for proposal in again.running()] == [0]


def test_an_error_of_the_driver_ends_the_run_and_is_raised_as_it_is(tmp_path):
    """Without this check Ray Tune would ignore the error, and the search would miss the trial."""

    def record(outcome: Outcome) -> None:
        raise KeyError("checkpoint")

    proposals = Proposals(tmp_path, "ends", searched_space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    searcher = StudySearcher(SPEC, proposals, [], 20, record, lambda: 1)
    config = searcher.suggest("first")
    assert isinstance(config, dict)
    row = trial_row(TrialPlan.from_config(config), SPEC, "complete", **FIGURES)
    searcher.on_trial_complete("first", {OUTCOME: Outcome(row)})
    assert searcher.suggest("next") == StudySearcher.FINISHED
    with pytest.raises(KeyError, match="checkpoint"):
        searcher.raise_if_failed()


@pytest.mark.parametrize(
    "errors", [["a"] * 4, ["a", "a", None, "a", "a", "a"], ["a", "a", "b", "a", "a", "a"]]
)
def test_fewer_or_others_do_not(tmp_path, errors):
    searcher = ending(tmp_path, errors)
    assert isinstance(searcher.suggest("next"), dict)
    searcher.raise_if_failed()


@pytest.mark.parametrize(
    ("number", "status", "state"),
    [
        (0, "complete", TrialState.COMPLETE),
        (1, "complete", TrialState.FAIL),
        (RAISES, "failed", TrialState.FAIL),
        (DIES, "failed", TrialState.FAIL),
        (STOPS, "stopped_early", TrialState.PRUNED),
        (DIES_ONCE, "complete", TrialState.COMPLETE),
        (6, "diverged", TrialState.FAIL),
    ],
    ids=["complete", "missing-objective", "raised", "killed", "stopped", "killed-once", "diverged"],
)
def test_each_end_is_one_row_and_told(ended, number, status, state):
    rows, states = ended
    assert rows[number]["status"] == status
    assert states[number] == state
    if status == "failed":
        assert rows[number]["error"]
    assert sorted(rows) == sorted(states) == list(range(TRIALS))


def test_a_figure_that_is_nan_leaves_no_worker():
    nan = row(0, "complete", **FIGURES | {MATCHING.column: float("nan")})
    with pytest.raises(ValueError, match="matching_auc_validation = nan: a row holds finite numbers or null"):
        Outcome(nan)
