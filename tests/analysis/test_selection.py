import pytest

from analysis.errors import AnalysisError
from analysis.selection import select


def row(attacker: float, matching: float, checkpoint: str | None = "checkpoints/x", **more) -> dict:
    figures = {"attacker_auc_validation": attacker, "matching_auc_validation": matching}
    return {**figures, "checkpoint": checkpoint, **more}


def test_the_most_useful_trial_within_the_limit_wins(trials) -> None:
    rows = [row(0.55, 0.6), row(0.6, 0.68, "checkpoints/best"), row(0.61, 0.75), row(0.58, 0.66)]
    found = select(trials(rows), 0.6)
    assert found.checkpoint == "checkpoints/best"
    assert found.trial["trial_id"] == "t0001"
    assert (found.max_attacker_auc, found.trial["source"], found.trial["seeds"]) == (0.6, "search", 1)


def test_the_limit_itself_is_within_it(trials) -> None:
    assert select(trials([row(0.6, 0.7)]), 0.6).trial["trial_id"] == "t0000"


def test_ties_go_to_the_lower_attacker_then_to_the_lower_id_in_any_order(trials) -> None:
    frame = trials([row(0.6, 0.7), row(0.58, 0.7), row(0.58, 0.7)])
    for seed in range(5):
        shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
        assert select(shuffled, 0.65).trial["trial_id"] == "t0001"


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
    assert select(trials([better, row(0.6, 0.7)]), 0.65).trial["trial_id"] == "t0001"


def test_confirmed_means_decide_where_there_are_any(trials) -> None:
    rows = [
        row(0.55, 0.8, design_id="a"),
        row(0.58, 0.7, design_id="a", phase="confirm", seed=1),
        row(0.66, 0.7, design_id="a", phase="confirm", seed=2),
        row(0.59, 0.6, design_id="b", phase="confirm", seed=1),
    ]
    found = select(trials(rows), 0.6)
    assert (found.trial["design_id"], found.trial["source"]) == ("b", "confirm")


def test_where_nothing_meets_the_limit_the_nearest_is_named(trials) -> None:
    rows = [row(0.7, 0.8), row(0.6123, 0.7), row(0.55, 0.7, checkpoint=None)]
    with pytest.raises(AnalysisError, match=r"<= 0\.6: the nearest is trial t0001 at 0\.6123;") as caught:
        select(trials(rows), 0.6)
    assert "\n" not in str(caught.value)


def test_a_study_without_checkpoints_says_so(trials) -> None:
    with pytest.raises(AnalysisError, match=r"none of 1 judged trials \(1 in all\) has a checkpoint"):
        select(trials([row(0.55, 0.7, checkpoint=None)]), 0.6)


@pytest.mark.parametrize("limit", [0.4, 60, float("nan"), -0.6])
def test_a_limit_that_is_no_folded_auc_is_refused(trials, limit: float) -> None:
    with pytest.raises(AnalysisError, match=r"max_attacker_auc = .*expected an AUC from 0\.5"):
        select(trials([row(0.55, 0.7)]), limit)
