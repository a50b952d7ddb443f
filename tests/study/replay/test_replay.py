"""Replayed searches: the virtual clock, the epochs, the stopping rule and the figures of a trial."""

import heapq
import json
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import moocore
import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from optuna.trial import TrialState

from analysis.fronts.hypervolume import GrowingFront
from analysis.tables.objectives import SEARCH_OBJECTIVES
from search_spaces.unit_cube import to_point
from study.cli import run
from study.errors import StudyError
from study.replay.replay import ReplayedTrial, nearest_design, replay
from study.search.halving import Rungs, survivors
from study.search.proposals import Proposal, Proposals
from study.spec.files import with_values
from study.spec.spec import StudySpec
from study.trial.plan import TrialPlan
from tests.study.replay.recordings import EPOCHS, recording, write_study

RECORDED = recording()
REFERENCE = np.array([1.0, -0.5])
SIGNS = [1, -1]


def search(rule: str = "none", **settings: object) -> StudySpec:
    given = {"sampler": "random", "trials": 30, "early_stopping.rule": rule, **settings}
    return with_values(RECORDED.spec, given)


def rungs_of(spec: StudySpec) -> tuple[int, ...]:
    return spec.early_stopping.rungs(EPOCHS)


def replayed(spec: StudySpec, workers: int = 1) -> list[ReplayedTrial]:
    return list(replay(RECORDED, spec, workers))


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("workers", [1, 4])
def test_the_same_seed_replays_the_same_and_another_does_not(sampler, workers):
    spec = search("mo_asha", sampler=sampler)
    assert replayed(spec, workers) == replayed(spec, workers)
    assert replayed(spec, workers) != replayed(with_values(spec, {"seed": 1}), workers)


def test_fewer_trials_are_the_beginning_of_more():
    assert replayed(search("mo_asha", trials=10)) == replayed(search("mo_asha", trials=30))[:10]


@pytest.mark.parametrize("workers", [1, 3, 10, 50])
def test_virtual_time_by_closed_form(workers):
    source = recording(seconds=2.0)
    *_, last = replay(source, search(), workers)
    rounds = -(-30 // workers)
    # A trial is judged once, at its end.
    assert last.ended_seconds == pytest.approx(rounds * (EPOCHS * 2.0 + 2.0))
    assert last.joint_epochs_spent == 30 * EPOCHS


def test_a_worker_takes_the_next_trial_when_it_is_free():
    trials = replayed(search("mo_asha", trials=40), workers=5)
    free = [0.0] * 5
    for trial in sorted(trials, key=lambda trial: trial.number):
        assert trial.started_seconds == pytest.approx(heapq.heappop(free))
        assert trial.ended_seconds == pytest.approx(
            trial.started_seconds + trial.training_seconds + trial.judging_seconds
        )
        heapq.heappush(free, trial.ended_seconds)
    assert [t.ended_seconds for t in trials] == sorted(t.ended_seconds for t in trials)


def test_epochs_and_judgements_are_paid_as_recorded():
    spec = search("mo_asha", trials=60)
    judged = {*rungs_of(spec), EPOCHS}
    trials = replayed(spec, workers=4)
    assert {trial.status for trial in trials} == {"complete", "stopped_early"}
    for trial in trials:
        assert trial.epochs == EPOCHS if trial.status == "complete" else trial.epochs in judged - {EPOCHS}
        at = trial.design, trial.recorded_seed
        assert trial.training_seconds == pytest.approx(RECORDED.training_seconds[at][: trial.epochs].sum())
        paid = [RECORDED.judging_seconds[at][epoch - 1] for epoch in judged if epoch <= trial.epochs]
        assert trial.judging_seconds == pytest.approx(sum(paid))
        assert trial.objectives == tuple(RECORDED.objectives[at][trial.epochs - 1])
    assert trials[-1].joint_epochs_spent == sum(trial.epochs for trial in trials)


def test_with_one_worker_what_was_spent_is_the_sum_so_far():
    trials = replayed(search("mo_asha"))
    assert [t.joint_epochs_spent for t in trials] == np.cumsum([t.epochs for t in trials]).tolist()


def test_without_a_rule_every_trial_trains_to_the_end():
    assert {(trial.epochs, trial.status) for trial in replayed(search())} == {(EPOCHS, "complete")}


def spied(monkeypatch: pytest.MonkeyPatch) -> tuple[list[Proposal], list[tuple]]:
    """Return two lists that collect the proposals and the results of every search from now on."""
    asked: list[Proposal] = []
    told: list[tuple] = []
    ask, tell = Proposals.ask, Proposals.tell
    monkeypatch.setattr(Proposals, "ask", lambda self: asked.append(ask(self)) or asked[-1])
    monkeypatch.setattr(Proposals, "tell", lambda self, *args: told.append(args) or tell(self, *args))
    return asked, told


def test_a_trial_reads_the_design_that_is_nearest_in_the_unit_cube(monkeypatch):
    asked, _ = spied(monkeypatch)
    by_number = {trial.number: trial for trial in replayed(search())}
    points = RECORDED.points.tolist()
    for proposal in asked:
        own = to_point(RECORDED.space, proposal.values)
        apart = [sum((a - b) ** 2 for a, b in zip(own, point, strict=True)) for point in points]
        assert by_number[proposal.optuna_number].design == apart.index(min(apart))


def test_every_recorded_seed_is_read_and_none_that_is_missing():
    assert {trial.recorded_seed for trial in replayed(search())} == {0, 1}
    one = replace(RECORDED, seeds=np.ones(len(RECORDED.points), dtype=int))
    assert {trial.recorded_seed for trial in replay(one, search(), 1)} == {0}


def test_of_equally_near_designs_the_first_is_read():
    assert nearest_design(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), np.array([0.9, 0.0])) == 1


def test_optuna_is_told_pruned_and_no_figures_of_a_trial_that_was_stopped(monkeypatch):
    studies: list[optuna.Study] = []
    create = optuna.create_study
    monkeypatch.setattr(
        optuna, "create_study", lambda **given: studies.append(create(**given)) or studies[-1]
    )
    trials = replayed(search("mo_asha", sampler="tpe"))
    states = {"complete": TrialState.COMPLETE, "stopped_early": TrialState.PRUNED}
    stored = [trial for trial in studies[0].trials if trial.state.is_finished()]
    by_number = {trial.number: trial for trial in trials}
    assert [trial.state for trial in stored] == [states[by_number[n].status] for n in sorted(by_number)]
    for trial in stored:
        expected = list(by_number[trial.number].objectives) if trial.state == TrialState.COMPLETE else None
        assert trial.values == expected
        assert trial.intermediate_values == {}


@pytest.mark.parametrize("workers", [1, 7])
def test_decisions_are_those_of_the_real_scheduler(workers):
    from study.tune.scheduler import MultiObjectiveHalving
    from study.tune.searcher import JOINT_EPOCH

    spec = search("mo_asha", trials=80)
    trials = {trial.number: trial for trial in replayed(spec, workers)}
    stopping = spec.early_stopping
    scheduler = MultiObjectiveHalving(
        SEARCH_OBJECTIVES, stopping.grace_epochs, stopping.reduction_factor, EPOCHS
    )
    judged = rungs_of(spec)
    results = []
    for trial in trials.values():
        now = trial.started_seconds
        at = trial.design, trial.recorded_seed
        for epoch in range(1, trial.epochs + 1):
            now += RECORDED.training_seconds[at][epoch - 1]
            now += RECORDED.judging_seconds[at][epoch - 1] if epoch in judged else 0
            if epoch in judged:
                results.append((now, trial.number, epoch))
    for _, number, epoch in sorted(results):
        trial = trials[number]
        figures = RECORDED.objectives[trial.design, trial.recorded_seed, epoch - 1].tolist()
        row = dict(zip((objective.column for objective in SEARCH_OBJECTIVES), figures, strict=True))
        plan = TrialPlan(f"trial-{number}", number, "search", "aia", {}, 0)
        tune_trial = SimpleNamespace(config=plan.to_config())
        decision = scheduler.on_trial_result(None, tune_trial, {JOINT_EPOCH: epoch} | row)
        stopped_here = trial.status == "stopped_early" and trial.epochs == epoch
        assert decision == ("STOP" if stopped_here else "CONTINUE")


# The distinct costs are few, so that ties at the limit of survivors are common.
costs = arrays(
    float,
    st.tuples(st.integers(1, 90), st.sampled_from([2, 3])),
    elements=st.integers(0, 6).map(lambda tenths: tenths / 10),
)


@settings(deadline=None)
@given(costs, st.sampled_from([1.5, 2.0, 3.0, 4.0]))
def test_a_rung_decides_on_its_latest_as_survivors_does(entries, factor):
    reference = np.ones(entries.shape[1])
    rung = Rungs([1], factor, reference)
    for number, own in enumerate(entries, start=1):
        assert rung.promotes(1, own) == survivors(entries[:number], factor, reference)[-1]


@settings(deadline=None)
@given(costs)
def test_a_growing_front_has_the_hypervolume_from_scratch(entries):
    front = GrowingFront(
        SEARCH_OBJECTIVES if entries.shape[1] == 2 else (*SEARCH_OBJECTIVES, SEARCH_OBJECTIVES[0])
    )
    signs = [1, -1, 1][: entries.shape[1]]
    reference = np.array([1.0, -0.5, 1.0])[: entries.shape[1]]
    points = entries * signs
    for number, own in enumerate(points, start=1):
        front.add(own)
        assert front.hypervolume == pytest.approx(moocore.hypervolume(points[:number], ref=reference))
        assert front.size == len(np.unique(points[:number][moocore.is_nondominated(points[:number])], axis=0))


def test_the_traces_hypervolume_counts_complete_trials_alone():
    reached: list[np.ndarray] = []
    for trial in replayed(search("mo_asha", trials=50), workers=3):
        if trial.status == "complete":
            reached.append(np.array(trial.objectives) * SIGNS)
        expected = moocore.hypervolume(np.array(reached), ref=REFERENCE) if reached else 0.0
        assert trial.hypervolume == pytest.approx(expected)


def test_a_search_that_nobody_waits_for_stops():
    assert len(list(islice(replay(RECORDED, search(trials=10**9), 2), 5))) == 5


def simulated(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    assert run(["simulate", *(str(argument) for argument in arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_command_prints_a_table_json_or_csv(capsys, tmp_path):
    study = write_study(tmp_path / "s", RECORDED)
    options = (study, "--sampler", "random", "--rule", "mo_asha", "--trials", 20, "--workers", 2)
    expected = list(replay(RECORDED, search("mo_asha", trials=20), 2))
    content = json.loads(simulated(capsys, *options, "--format", "json"))
    assert content["complete"] + content["stopped_early"] == len(content["trials"]) == 20
    assert content["hypervolume"] == expected[-1].hypervolume
    assert content["joint_epochs"] == expected[-1].joint_epochs_spent
    assert [row["number"] for row in content["trials"]] == [trial.number for trial in expected]
    lines = simulated(capsys, *options, "--format", "csv").splitlines()
    assert len(lines) == 21
    assert "attacker_auc_validation" in lines[0]
    assert "40 designs" in simulated(capsys, *options)


def test_without_options_the_recorded_specs_rule_and_one_trial_per_design(capsys, tmp_path):
    content = json.loads(simulated(capsys, write_study(tmp_path / "s", RECORDED), "--format", "json"))
    assert (content["sampler"], content["rule"], content["workers"]) == ("tpe", "none", 1)
    assert content["complete"] == len(RECORDED.points)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--rule", "asha"], "mo_asha"),
        (["--sampler", "best"], "tpe"),
        (["--rule", "mo_asha", "--grace-epochs", "6"], "6 joint epochs"),
        (["--reduction-factor", "1"], "at least 1.1"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_wrong_options_are_told_in_one_line(capsys, tmp_path, options, named):
    assert run(["simulate", str(write_study(tmp_path / "s", recording(2))), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert named in err


def test_a_constraint_on_what_is_not_recorded_is_refused():
    limits = ["attacker_accuracy_validation <= 0.9"]
    with pytest.raises(
        StudyError, match=r"'attacker_accuracy_validation <= 0.9' cannot be replayed: .*alpha"
    ):
        replayed(search(sampler="tpe", constraints=limits))
    allowed = ["matching_auc_validation >= 0.6", "beta <= 5"]
    assert len(replayed(search(sampler="tpe", constraints=allowed))) == 30


def test_the_rule_prefers_trials_within_the_constraints():
    """Of the same random designs, more within the constraint complete if the search has that constraint."""

    def complete_within(spec: StudySpec) -> int:
        trials = [trial for trial in replayed(spec) if trial.status == "complete"]
        return sum(trial.objectives[1] >= 0.8 for trial in trials)

    free = search("mo_asha", trials=200, **{"early_stopping.grace_epochs": 1})
    # A spec refuses constraints with the sampler `random`, which ignores them: here only the rule uses them.
    limited = free.model_copy(update={"constraints": ("matching_auc_validation >= 0.8",)})
    assert complete_within(limited) > 1.5 * complete_within(free)
