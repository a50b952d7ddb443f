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

from study.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from study.outcome import Outcome, trial_row
from study.plan import TrialPlan
from study.proposals import Proposals
from study.searcher import OUTCOME, PLAN, StudySearcher
from study.spec import space
from study.spec_files import load_spec

SPEC = load_spec("quick")
FIGURES = {ATTACKER.column: 0.6, MATCHING.column: 0.7}


class Ending(tune.Trainable):
    """Ends in the way that its trial's number stands for."""

    def setup(self, config: dict[str, Any]) -> None:
        self.plan = TrialPlan.from_json(config[PLAN])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Nothing, as in the real trainable."""

    def step(self) -> dict[str, Any]:
        plan = self.plan
        match plan.number:
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
                nan = trial_row(plan, SPEC, "complete", **FIGURES | {MATCHING.column: float("nan")})
                return {OUTCOME: Outcome(nan).to_json(), "done": True}
            case _:
                row = trial_row(plan, SPEC, "diverged", error="total_loss is nan")
        return {OUTCOME: Outcome(row).to_json(), "done": True}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, dict], dict[int, Any]]:
    directory: Path = tmp_path_factory.mktemp("ends")
    proposals = Proposals(directory, "ends", space(SPEC), "random", 0, SEARCH_OBJECTIVES)
    outcomes: list[Outcome] = []
    searcher = StudySearcher(SPEC, proposals, [], 7, outcomes.append)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        tune.Tuner(
            Ending,
            tune_config=tune.TuneConfig(
                search_alg=searcher, num_samples=7, max_concurrent_trials=1, reuse_actors=True
            ),
            run_config=tune.RunConfig(
                storage_path=str(directory), name="ray", verbose=0, stop={"stop_me": True}
            ),
        ).fit()
    finally:
        ray.shutdown()
    storage = JournalStorage(JournalFileBackend(str(directory / "search.journal")))
    trials = optuna.load_study(study_name="ends", storage=storage).trials
    states = {trial.number: trial.state for trial in trials}
    return {outcome.trial["number"]: outcome.trial for outcome in outcomes}, states


@pytest.mark.parametrize(
    ("number", "status", "state"),
    [
        (0, "complete", TrialState.COMPLETE),
        (1, "complete", TrialState.FAIL),
        (2, "failed", TrialState.FAIL),
        (3, "failed", TrialState.FAIL),
        (4, "stopped_early", TrialState.PRUNED),
        (5, "failed", TrialState.FAIL),
        (6, "diverged", TrialState.FAIL),
    ],
    ids=["complete", "missing-objective", "raised", "killed", "stopped", "nan", "diverged"],
)
def test_each_end_is_one_row_and_told(ended, number, status, state):
    rows, states = ended
    assert rows[number]["status"] == status
    assert states[number] == state
    if status == "failed":
        assert rows[number]["error"]
    assert sorted(rows) == sorted(states) == list(range(7))
