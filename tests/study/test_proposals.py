"""Ask and tell: what Optuna learns from each way a trial can end, and what survives on disk."""

import math
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from search_spaces.spaces import SPACES
from study.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES
from study.proposals import Proposals

SPACE = SPACES["architecture"]
FIGURES = {ATTACKER.column: 0.6, MATCHING.column: 0.7}


def proposals(directory: Path, sampler: str = "tpe", seed: int = 0) -> Proposals:
    return Proposals(directory, "study", SPACE, sampler, seed, SEARCH_OBJECTIVES)


def recorded(directory: Path) -> list[optuna.trial.FrozenTrial]:
    storage = JournalStorage(JournalFileBackend(str(directory / "search.journal")))
    trials = optuna.load_study(study_name="study", storage=storage).trials
    return [trial for trial in trials if trial.state != TrialState.WAITING]


@pytest.mark.parametrize(
    ("status", "figures", "state"),
    [
        ("complete", FIGURES, TrialState.COMPLETE),
        ("complete", {ATTACKER.column: 0.6}, TrialState.FAIL),
        ("complete", FIGURES | {MATCHING.column: None}, TrialState.FAIL),
        ("complete", FIGURES | {MATCHING.column: math.nan}, TrialState.FAIL),
        ("complete", FIGURES | {ATTACKER.column: math.inf}, TrialState.FAIL),
        ("failed", {}, TrialState.FAIL),
        ("diverged", FIGURES, TrialState.FAIL),
        ("stopped_early", FIGURES, TrialState.PRUNED),
    ],
)
def test_each_way_to_end_is_told_and_none_stays_running(tmp_path, status, figures, state):
    search = proposals(tmp_path)
    number = search.ask().number
    search.tell(number, status, figures)
    (trial,) = recorded(tmp_path)
    assert trial.state == state
    assert trial.values == ([0.6, 0.7] if state == TrialState.COMPLETE else None)
    assert search.unfinished() == []


def test_the_sampler_goes_on_after_every_kind_of_end(tmp_path):
    search = proposals(tmp_path)
    ends = ["complete", "stopped_early", "failed", "diverged"]
    for step in range(24):
        proposal = search.ask()
        SPACE.check(proposal.values)
        figures = {ATTACKER.column: 0.5 + step / 100, MATCHING.column: 0.9 - step / 100}
        search.tell(proposal.number, ends[step % 4], figures)  # type: ignore[arg-type]
    assert len(recorded(tmp_path)) == 24


def test_directions_are_minimise_attacker_maximise_matching(tmp_path):
    search = proposals(tmp_path)
    better, worse = search.ask(), search.ask()
    search.tell(better.number, "complete", {ATTACKER.column: 0.55, MATCHING.column: 0.8})
    search.tell(worse.number, "complete", {ATTACKER.column: 0.6, MATCHING.column: 0.7})
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "search.journal")))
    best = optuna.load_study(study_name="study", storage=storage).best_trials
    assert [trial.number for trial in best] == [better.number]


def test_a_dead_drivers_designs_are_found_again(tmp_path):
    search = proposals(tmp_path)
    told, left = search.ask(), search.ask()
    search.tell(told.number, "complete", FIGURES)
    assert proposals(tmp_path).unfinished() == [left]


def test_a_trial_told_twice_keeps_its_first_end(tmp_path):
    search = proposals(tmp_path)
    number = search.ask().number
    search.tell(number, "complete", FIGURES)
    search.tell(number, "failed", {})
    assert recorded(tmp_path)[0].state == TrialState.COMPLETE


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_same_seed_same_designs_other_seed_others(tmp_path, sampler):
    def designs(folder: str, seed: int) -> list:
        (tmp_path / folder).mkdir()
        search = proposals(tmp_path / folder, sampler, seed)
        values = []
        for step in range(12):
            proposal = search.ask()
            search.tell(proposal.number, "complete", {ATTACKER.column: 0.9 - step / 50, MATCHING.column: 0.6})
            values.append(proposal.values)
        return values

    assert designs("first", 3) == designs("second", 3)
    assert designs("third", 4) != designs("fourth", 3)


def test_the_known_designs_come_first_and_once(tmp_path):
    search = proposals(tmp_path)
    first = search.ask()
    assert first.values == SPACE.defaults()
    search.tell(first.number, "complete", FIGURES)
    second = proposals(tmp_path).ask()  # as after a driver's death
    assert (second.values["channel"], second.values["erasure"], second.values["beta"]) == (
        "none",
        False,
        0.01,
    )
    assert proposals(tmp_path).ask().values not in SPACE.known_designs()


def test_a_space_without_parameters_asks_for_its_one_design(tmp_path):
    search = Proposals(
        tmp_path,
        "study",
        SPACES["paper"].without({"alpha": 0.5, "beta": 0.5}),
        "random",
        0,
        SEARCH_OBJECTIVES,
    )
    assert search.ask().values == {}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_after_a_resume_it_draws_designs_that_it_has_not_drawn(tmp_path, sampler):
    def alphas() -> list[float]:
        search, drawn = proposals(tmp_path, sampler, 2**63 - 1), []
        for _ in range(6):
            proposal = search.ask()
            search.tell(proposal.number, "complete", FIGURES)
            drawn.append(proposal.values["alpha"])
        return drawn

    known = {design["alpha"] for design in SPACE.known_designs()}
    drawn = [alpha for alpha in alphas() + alphas() + alphas() if alpha not in known]
    assert len(set(drawn)) == len(drawn) == 16
