import pytest

from analysis.errors import AnalysisError
from analysis.fronts.selection import SelectionCriteria, select


def select_within(frame, limit):
    return select(frame, SelectionCriteria(limit))


def row(attacker: float, matching: float, checkpoint: str | None = "checkpoints/x", **more) -> dict:
    figures = {"attacker_auc_validation": attacker, "matching_auc_validation": matching}
    return {**figures, "checkpoint": checkpoint, **more}


def test_the_most_useful_trial_within_the_limit_wins(trials) -> None:
    rows = [row(0.55, 0.6), row(0.6, 0.68, "checkpoints/best"), row(0.61, 0.75), row(0.58, 0.66)]
    found = select_within(trials(rows), 0.6)
    assert found.checkpoint == "checkpoints/best"
    assert found.trial["trial_id"] == "t0001"
    assert (found.criteria.max_attacker_auc, found.trial["source"], found.trial["seeds"]) == (
        0.6,
        "search",
        1,
    )


def test_the_limit_itself_is_within_it(trials) -> None:
    assert select_within(trials([row(0.6, 0.7)]), 0.6).trial["trial_id"] == "t0000"


def test_ties_go_to_the_lower_attacker_then_to_the_lower_id_in_any_order(trials) -> None:
    frame = trials([row(0.6, 0.7), row(0.58, 0.7), row(0.58, 0.7)])
    for seed in range(5):
        shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
        assert select_within(shuffled, 0.65).trial["trial_id"] == "t0001"


@pytest.mark.parametrize(
    "better",
    [
        row(0.52, 0.9, checkpoint=None),
        row(0.52, 0.9, status="stopped_early"),
        row(0.52, 0.9, phase="baseline", method="erasure"),
        row(0.52, float("nan")),
    ],
    ids=["no checkpoint", "stopped early", "baseline", "NaN"],
)
def test_only_complete_trials_with_a_checkpoint_are_selected(trials, better) -> None:
    assert select_within(trials([better, row(0.6, 0.7)]), 0.65).trial["trial_id"] == "t0001"


def test_confirmed_means_decide_where_there_are_any(trials) -> None:
    rows = [
        row(0.55, 0.8, design_id="a"),
        row(0.58, 0.7, design_id="a", phase="confirm", seed=1),
        row(0.66, 0.7, design_id="a", phase="confirm", seed=2),
        row(0.59, 0.6, design_id="b", phase="confirm", seed=1),
    ]
    found = select_within(trials(rows), 0.6)
    assert (found.trial["design_id"], found.trial["source"]) == ("b", "confirm")


def test_where_nothing_meets_the_limit_the_nearest_is_named(trials) -> None:
    rows = [row(0.7, 0.8), row(0.6123, 0.7), row(0.55, 0.7, checkpoint=None)]
    with pytest.raises(AnalysisError, match=r"<= 0\.6: the nearest is trial t0001 .* 0\.6123 ") as caught:
        select_within(trials(rows), 0.6)
    assert "\n" not in str(caught.value)


def test_a_study_without_checkpoints_says_so(trials) -> None:
    with pytest.raises(AnalysisError, match=r"none of 1 judged trials \(1 in all\) has a checkpoint"):
        select_within(trials([row(0.55, 0.7, checkpoint=None)]), 0.6)


@pytest.mark.parametrize("limit", [0.4, 60, float("nan"), -0.6])
def test_a_limit_that_is_no_folded_auc_is_refused(trials, limit: float) -> None:
    with pytest.raises(AnalysisError, match=r"max_attacker_auc = .*expected an AUC from 0\.5"):
        select_within(trials([row(0.55, 0.7)]), limit)


CURVE = [row(0.5, 0.52), row(0.55, 0.65), row(0.6, 0.74), row(0.7, 0.77), row(0.85, 0.8), row(0.86, 0.7)]


def chosen(trials, **criteria) -> str:
    return select(trials(CURVE), SelectionCriteria(**criteria)).trial["trial_id"]


def test_a_limit_on_matching_alone_asks_for_privacy(trials) -> None:
    assert chosen(trials, min_matching_auc=0.7) == "t0002"
    assert chosen(trials, min_matching_auc=0.65) == "t0001", "the limit itself is within it"


def test_within_both_limits_the_best_matching_wins(trials) -> None:
    assert chosen(trials, min_matching_auc=0.6, max_attacker_auc=0.65) == "t0002"


def test_the_knee_is_where_the_front_bends(trials) -> None:
    """The knee has 0.286 of the front's range of attacker AUC and 0.786 of its range of matching AUC."""
    assert chosen(trials, knee=True) == "t0002"
    assert chosen(trials, knee=True, max_attacker_auc=0.6) == "t0002", (
        "a limit that the knee meets changes nothing"
    )
    assert chosen(trials, knee=True, min_matching_auc=0.76) == "t0003"


def test_the_knee_of_a_single_point_is_that_point(trials) -> None:
    assert (
        select(trials([row(0.6, 0.7), row(0.6, 0.65)]), SelectionCriteria(knee=True)).trial["trial_id"]
        == "t0000"
    )


@pytest.mark.parametrize(
    ("weights", "expected"), [((1, 0), "t0000"), ((0, 1), "t0004"), ((1, 1), "t0002"), ((2, 2), "t0002")]
)
def test_weights_choose_along_the_front(trials, weights, expected) -> None:
    assert chosen(trials, weights=weights) == expected


def test_what_is_next_and_what_the_limit_costs(trials) -> None:
    found = select(trials(CURVE), SelectionCriteria(max_attacker_auc=0.65))
    assert found.next_best is not None
    assert found.unlimited is not None
    assert (found.next_best["trial_id"], found.unlimited["trial_id"]) == ("t0001", "t0004")
    free = select(trials(CURVE), SelectionCriteria(max_attacker_auc=0.9))
    assert free.unlimited is None
    assert select(trials(CURVE[:1]), SelectionCriteria(max_attacker_auc=0.9)).next_best is None


def test_the_next_best_is_another_design(trials) -> None:
    rows = [row(0.6, 0.7, design_id="a"), row(0.6, 0.69, design_id="a"), row(0.5, 0.5, design_id="b")]
    found = select(trials(rows), SelectionCriteria(max_attacker_auc=0.6))
    assert found.next_best is not None
    assert found.next_best["design_id"] == "b"


def test_the_nearest_to_two_limits_is_named(trials) -> None:
    with pytest.raises(
        AnalysisError, match=r"attacker AUC <= 0\.6 and matching AUC >= 0\.79: .* trial t0002 "
    ):
        select(trials(CURVE), SelectionCriteria(0.6, 0.79))


LINKED = [
    row(0.6, 0.8, linked_attacker_auc_validation=0.9),
    row(0.7, 0.75, linked_attacker_auc_validation=0.72),
    row(0.5, 0.6, linked_attacker_auc_validation=0.7),
    row(0.5, 0.9),
]


def test_a_limit_on_linked_attackers_asks_for_the_best_matching_and_for_the_figure(trials) -> None:
    def chosen(limit: float, **more: float) -> str:
        criteria = SelectionCriteria(max_linked_attacker_auc=limit, **more)
        return select(trials(LINKED), criteria).trial["trial_id"]

    assert chosen(0.72) == "t0001", "the limit itself is within it, and a missing figure is not"
    assert chosen(0.71) == "t0002"
    assert chosen(1.0) == "t0000"
    assert chosen(0.72, max_attacker_auc=0.65) == "t0002"


def test_where_no_linked_attacker_meets_the_limit_the_nearest_is_named(trials) -> None:
    criteria = SelectionCriteria(max_linked_attacker_auc=0.6)
    with pytest.raises(
        AnalysisError, match=r"linked attacker AUC <= 0\.6: .* trial t0002 .*, linked attacker AUC 0\.7 and"
    ):
        select(trials(LINKED), criteria)
    with pytest.raises(AnalysisError, match=r"trial t0000 .*, linked attacker AUC unknown and"):
        select(trials(LINKED[-1:]), criteria)


def test_confirmed_means_of_the_linked_attackers_decide(trials) -> None:
    rows = [
        row(0.5, 0.9, design_id="a", phase="confirm", seed=1, linked_attacker_auc_validation=0.6),
        row(0.5, 0.9, design_id="a", phase="confirm", seed=2, linked_attacker_auc_validation=0.9),
        row(0.5, 0.6, design_id="b", phase="confirm", seed=1, linked_attacker_auc_validation=0.65),
    ]
    found = select(trials(rows), SelectionCriteria(max_linked_attacker_auc=0.7))
    assert found.trial["design_id"] == "b"


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ({}, "nothing to select by"),
        ({"knee": True, "weights": (1.0, 1.0)}, "two preferences"),
        ({"weights": (0.0, 0.0)}, "not both 0"),
        ({"weights": (-1.0, 2.0)}, "at least 0"),
        ({"weights": (float("nan"), 2.0)}, "at least 0"),
        ({"max_linked_attacker_auc": 0.4}, r"max_linked_attacker_auc = 0\.4: expected an AUC"),
        ({"min_matching_auc": 1.1}, "min_matching_auc = 1.1: expected an AUC"),
    ],
)
def test_criteria_without_a_meaning_are_refused(criteria, message) -> None:
    with pytest.raises(AnalysisError, match=message):
        SelectionCriteria(**criteria)
