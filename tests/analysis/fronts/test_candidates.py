import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.errors import AnalysisError
from analysis.fronts.candidates import candidates, require_objectives
from analysis.fronts.pareto import pareto_front


def confirmed(design: str, seed: int, attacker: float | None, **more) -> dict:
    return {
        "trial_id": f"{design}-{seed}",
        "design_id": design,
        "phase": "confirm",
        "seed": seed,
        "attacker_auc_validation": attacker,
        "attacker_auc_validation_low": None if attacker is None else attacker - 0.05,
        "matching_auc_validation": 0.7,
        "alpha": 3.0,
        **more,
    }


@pytest.fixture
def rows() -> list[dict]:
    return [
        {"design_id": "lucky", "attacker_auc_validation": 0.5, "matching_auc_validation": 0.9},
        confirmed("lucky", 3, 0.64, checkpoint="checkpoints/c"),
        confirmed("lucky", 2, 0.60, checkpoint="checkpoints/b"),
        confirmed("lucky", 1, 0.68),
        confirmed("steady", 1, 0.62, matching_auc_validation=0.71, checkpoint="checkpoints/d"),
    ]


def test_confirmed_designs_replace_search_rows_by_their_mean(trials, rows) -> None:
    found = candidates(trials(rows)).sort("design_id")
    assert found["source"].to_list() == ["confirm", "confirm"]
    assert found["design_id"].to_list() == ["lucky", "steady"]
    assert found["seeds"].to_list() == [3, 1]
    assert found["attacker_auc_validation"].to_list() == pytest.approx([0.64, 0.62])
    assert found["attacker_auc_validation_low"].to_list() == pytest.approx([0.59, 0.57])
    assert found["alpha"].to_list() == [3.0, 3.0]


def test_further_attackers_and_certified_bounds_are_means_too(trials, rows) -> None:
    names = ("linked_attacker_auc_test", "gallery_attacker_auc_validation", "certified_attacker_auc")
    for row, value in zip(rows[1:4], (0.7, 0.8, 0.9), strict=True):
        row |= dict.fromkeys(names, value) | {"certificate_method": "hoeffding", "certificate_words": 16}
    lucky = candidates(trials(rows)).row(by_predicate=pl.col("design_id") == "lucky", named=True)
    assert [lucky[name] for name in names] == pytest.approx([0.8] * 3)
    assert (lucky["certificate_method"], lucky["certificate_words"]) == ("hoeffding", 16)


def test_a_confirmed_design_ships_the_checkpoint_of_its_first_seed_that_kept_one(trials, rows) -> None:
    """Seeds are ordered by the numbers in trial ids, neither by the hashed seeds nor by the alphabet."""
    for row, number in zip(rows[1:4], (10, 9, 8), strict=True):
        row["trial_id"] = f"confirm-lucky-{number}"
    lucky = candidates(trials(rows)).filter(pl.col("design_id") == "lucky")
    assert lucky.select("trial_id", "seed", "checkpoint").rows() == [("confirm-lucky-9", 2, "checkpoints/b")]
    rows[1]["seed"], rows[2]["seed"] = 2, 3
    again = candidates(trials(rows)).filter(pl.col("design_id") == "lucky")
    assert again.select("trial_id", "seed", "checkpoint").rows() == [("confirm-lucky-9", 3, "checkpoints/b")]


def test_the_front_of_confirmed_designs_is_made_of_their_means(trials, rows) -> None:
    front = pareto_front(trials(rows))
    assert front["design_id"].to_list() == ["steady"]
    assert front["source"].to_list() == ["confirm"]


def test_a_failed_seed_is_not_in_the_mean(trials, rows) -> None:
    rows.append(confirmed("steady", 2, None, status="diverged"))
    steady = candidates(trials(rows)).filter(pl.col("design_id") == "steady")
    assert steady["attacker_auc_validation"].to_list() == [0.62]
    assert steady["seeds"].to_list() == [1]


def test_search_rows_count_until_a_confirmation_is_judged(trials, rows) -> None:
    found = candidates(trials([rows[0], confirmed("lucky", 1, None, status="failed")]))
    assert found["source"].to_list() == ["search"]
    assert found["attacker_auc_validation"].to_list() == [0.5]


def test_candidates_have_the_columns_and_types_of_trials(trials, rows) -> None:
    schema = trials(rows).schema
    for frame in (trials(rows), trials(rows[:1]), trials([])):
        assert list(candidates(frame).schema.items())[:-2] == list(schema.items())
        assert candidates(frame).schema["seeds"] == pl.UInt32


def test_candidates_ignore_the_order_of_rows_and_leave_them_alone(trials, rows) -> None:
    frame = trials(rows)
    before = frame.clone()
    forward = candidates(frame).sort("design_id")
    assert_frame_equal(candidates(frame.reverse()).sort("design_id"), forward)
    assert_frame_equal(frame, before)


def test_no_complete_trial_is_an_error(trials) -> None:
    with pytest.raises(AnalysisError, match=r"^studies/a: none of 1 trials is complete; a front needs"):
        require_objectives(trials([{"status": "failed"}]), "studies/a")


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        ([(0.6, None), (0.7, float("nan"))], "matching_auc_validation is missing in all 2 complete"),
        ([(None, 0.6)], "attacker_auc_validation is missing in all 1 complete"),
        ([(None, 0.6), (0.6, None)], "none of 2 complete trials has all objectives"),
    ],
)
def test_a_missing_objective_is_named(points, pairs, named: str) -> None:
    with pytest.raises(AnalysisError, match=f"^studies/a: {named}"):
        require_objectives(points(*pairs), "studies/a")


def test_one_judged_trial_is_enough(points) -> None:
    require_objectives(points((0.6, 0.7), (None, None)), "studies/a")
