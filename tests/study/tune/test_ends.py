"""Every way a trial can end under real Ray Tune becomes one row, and Optuna is told."""

import os
import signal
from pathlib import Path
from typing import Any

import optuna
import pytest
import ray
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from ray import tune

from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from study.errors import StudyError
from study.search.proposals import Proposals
from study.spec.files import load_spec
from study.spec.spec import searched_space
from study.trial.plan import TrialPlan
from study.trial.rows import Outcome, trial_row
from study.tune.searcher import NO_STORAGE, OUTCOME, StudySearcher

SPEC = load_spec("quick")
FIGURES = {ATTACKER.column: 0.6, MATCHING.column: 0.7}


class Ending(tune.Trainable):
    """Ends in the way that its trial's number stands for."""

    def setup(self, config: dict[str, Any], folder: Path | None = None) -> None:  # type: ignore[override]
        assert folder is not None
        self.folder = folder
        self.plan = TrialPlan.from_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.plan = TrialPlan.from_config(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing, as in the real trainable."""

    def step(self) -> dict[str, Any]:
        plan = self.plan
        with (self.folder / f"starts-{plan.optuna_number}").open("a") as starts:
            starts.write("x")
        match plan.optuna_number:
            case 0:
                row = trial_row(plan, SPEC, "complete", **FIGURES)
            case 1:
                row = trial_row(plan, SPEC, "complete", **{ATTACKER.column: 0.6})
            case 2:
                raise RuntimeError("lost")
            case 3:
                os.kill(os.getpid(), signal.SIGKILL)
            case 4:
                return {"epoch": 1, "stop_me": True}
            case 5:
                row = trial_row(plan, SPEC, "stopped_early", **FIGURES)
                return {OUTCOME: Outcome(row), "epoch": 2, "stop_me": True}
            case 6:
                if (self.folder / "starts-6").stat().st_size < 3:
                    os.kill(os.getpid(), signal.SIGKILL)
                row = trial_row(plan, SPEC, "complete", **FIGURES)
            case _:
                row = trial_row(plan, SPEC, "diverged", error="total_loss is nan")
        return {OUTCOME: Outcome(row), "done": True}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, dict], dict[int, Any]]:
    directory: Path = tmp_path_factory.mktemp("ends")
    proposals = Proposals(directory, "ends", searched_space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    outcomes: list[Outcome] = []
    searcher = StudySearcher(SPEC, proposals, [], 8, outcomes.append, lambda: 1)
    ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        tune.Tuner(
            tune.with_parameters(Ending, folder=directory),
            tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
            run_config=tune.RunConfig(
                storage_path=str(directory), name="ray", verbose=0, stop={"stop_me": True}
            ),
        ).fit()
    finally:
        ray.shutdown()
    storage = JournalStorage(JournalFileBackend(str(directory / "search.journal")))
    trials = optuna.load_study(study_name="ends", storage=storage).trials
    states = {trial.number: trial.state for trial in trials}
    assert len(outcomes) == 8, "each trial ends once"
    starts = {number: (directory / f"starts-{number}").stat().st_size for number in states}
    assert starts == {0: 1, 1: 1, 2: 3, 3: 3, 4: 1, 5: 1, 6: 3, 7: 1}, (
        "who died runs again, three times at most"
    )
    return {outcome.trial["number"]: outcome.trial for outcome in outcomes}, states


def ending(tmp_path: Path, errors: list[str | None]) -> StudySearcher:
    """A searcher after trials that ended one by one, in good order or with an error."""
    proposals = Proposals(tmp_path, "ends", searched_space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    searcher = StudySearcher(SPEC, proposals, [], 20, lambda outcome: None, lambda: 1)
    for number, error in enumerate(errors):
        config = searcher.suggest(f"tune-{number}")
        assert isinstance(config, dict)
        plan = TrialPlan.from_config(config)
        status = "failed" if error else "complete"
        row = trial_row(plan, SPEC, status, **({"error": error} if error else FIGURES))
        searcher.on_trial_complete(f"tune-{number}", {OUTCOME: Outcome(row)})
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
    assert [proposal.optuna_number for proposal in again.unfinished()] == [0]


def test_an_error_of_the_driver_ends_the_run_and_is_raised_as_it_is(tmp_path):
    """Tune would go on without a word, and the search would never be told."""

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
        (2, "failed", TrialState.FAIL),
        (3, "failed", TrialState.FAIL),
        (4, "stopped_early", TrialState.PRUNED),
        (5, "stopped_early", TrialState.PRUNED),
        (6, "complete", TrialState.COMPLETE),
        (7, "diverged", TrialState.FAIL),
    ],
    ids=[
        "complete",
        "missing-objective",
        "raised",
        "killed",
        "stopped",
        "stopped-where-judged",
        "killed-twice",
        "diverged",
    ],
)
def test_each_end_is_one_row_and_told(ended, number, status, state):
    rows, states = ended
    assert rows[number]["status"] == status
    assert states[number] == state
    if status == "failed":
        assert rows[number]["error"]
    assert sorted(rows) == sorted(states) == list(range(8))
