"""The decisions of the scheduler about search trials at a rung."""

from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from analysis.tables.objectives import SEARCH_OBJECTIVES
from study.spec.constraints import parse
from study.trial.plan import TrialPlan
from study.tune.scheduler import MultiObjectiveHalving
from study.tune.searcher import JOINT_EPOCH


def figures(attacker: float, matching: float) -> dict[str, float]:
    return {"attacker_auc_validation": attacker, "matching_auc_validation": matching}


def asked(scheduler: MultiObjectiveHalving, epoch: int, number: int | None = 3, judged: bool = True) -> str:
    """Return the scheduler's decision about a mediocre trial."""
    plan = TrialPlan("trial", number, "search", "aia", {}, 0)
    result = {JOINT_EPOCH: epoch} | (figures(0.7, 0.7) if judged else {})
    return scheduler.on_trial_result(None, SimpleNamespace(config=plan.to_config()), result)


def better(epoch: int, *constraints: str) -> MultiObjectiveHalving:
    """Return a scheduler with rungs at 2 and 6 and nine better trials of an earlier run at rung `epoch`."""
    limits = tuple(parse(text) for text in constraints)
    return MultiObjectiveHalving(
        SEARCH_OBJECTIVES, 2, 3.0, 20, limits, [(epoch, figures(0.6, 0.8) | {"alpha": 9.0})] * 9
    )


def test_a_newcomer_is_compared_with_trials_of_earlier_runs():
    assert asked(better(2), 2) == TrialScheduler.STOP
    assert asked(better(6), 2) == TrialScheduler.CONTINUE, "they are of another rung"
    assert asked(better(5), 2) == TrialScheduler.CONTINUE, "they are of no rung"


@pytest.mark.parametrize(
    ("epoch", "number", "judged"),
    [(1, 3, True), (3, 3, True), (2, None, True), (2, 3, False)],
    ids=["before-the-rung", "between-rungs", "not-the-samplers", "not-judged"],
)
def test_whatever_is_not_a_search_trial_at_a_rung_goes_on(epoch, number, judged):
    assert asked(better(2), epoch, number, judged) == TrialScheduler.CONTINUE


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ("attacker_auc_validation >= 0.65", TrialScheduler.CONTINUE),
        ("alpha <= 5", TrialScheduler.CONTINUE),
        ("attacker_auc_validation <= 0.65", TrialScheduler.STOP),
        # The earlier trials lack this figure and are left out, so the new trial is the first and continues.
        ("matching_auc_same_gender_validation >= 0.6", TrialScheduler.CONTINUE),
    ],
    ids=["they-violate-a-figure", "they-violate-a-hyperparameter", "it-violates", "they-lack-it"],
)
def test_better_trials_beyond_the_constraints_stop_nobody_within(constraint, said):
    assert asked(better(2, constraint), 2) == said


def test_who_lacks_a_constrained_figure_stands_behind_all():
    within = figures(0.9, 0.55) | {"matching_auc_same_gender_validation": 0.6}
    limits = (parse("matching_auc_same_gender_validation >= 0.5"),)
    scheduler = MultiObjectiveHalving(SEARCH_OBJECTIVES, 2, 3.0, 20, limits, [(2, within)] * 3)
    assert asked(scheduler, 2) == TrialScheduler.STOP


def test_a_trial_that_runs_again_reports_a_rung_that_knows_it_and_goes_on():
    scheduler = MultiObjectiveHalving(SEARCH_OBJECTIVES, 2, 3.0, 20)

    def reported(number: int, attacker: float, matching: float) -> str:
        plan = TrialPlan(f"trial-{number}", number, "search", "aia", {}, 0)
        result = {JOINT_EPOCH: 2} | figures(attacker, matching)
        return scheduler.on_trial_result(None, SimpleNamespace(config=plan.to_config()), result)

    assert reported(0, 0.7, 0.7) == TrialScheduler.CONTINUE
    assert [reported(number, 0.6, 0.8) for number in range(1, 4)] == [TrialScheduler.CONTINUE] * 3
    assert reported(0, 0.7, 0.7) == TrialScheduler.CONTINUE, "it was told so"
    assert reported(4, 0.7, 0.7) == TrialScheduler.STOP, "of five trials two go on"
