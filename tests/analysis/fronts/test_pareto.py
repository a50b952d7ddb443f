import moocore
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from polars.testing import assert_frame_equal

from analysis.fronts.pareto import MIN_PREFILTER_ROWS, costs_of, is_nondominated, pareto_front
from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES, Objective

# With these few values ties, duplicates and lines of equal cost are common.
COARSE = st.integers(-3, 3).map(float)
FINE = st.floats(-1, 1)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
@pytest.mark.parametrize("values", [COARSE, FINE], ids=["tied", "random"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mask_equals_moocore(data: st.DataObject, values: st.SearchStrategy[float], dimensions: int) -> None:
    costs = data.draw(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(dimensions)), elements=values))
    before = costs.copy()
    np.testing.assert_array_equal(
        is_nondominated(costs), moocore.is_nondominated(costs, keep_weakly=True).astype(bool)
    )
    np.testing.assert_array_equal(costs, before)


SPOILT = st.sampled_from([-1.0, 0.0, 1.0, float("nan"), float("inf"), float("-inf")])


@pytest.mark.parametrize("dimensions", [2, 3, 4])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_rows_that_are_not_finite_change_nothing_for_others(data: st.DataObject, dimensions: int) -> None:
    costs = data.draw(arrays(np.float64, st.tuples(st.integers(1, 20), st.just(dimensions)), elements=SPOILT))
    finite = np.isfinite(costs).all(axis=1)
    expected = np.zeros(len(costs), dtype=bool)
    if finite.any():
        expected[finite] = moocore.is_nondominated(costs[finite], keep_weakly=True)
    np.testing.assert_array_equal(is_nondominated(costs), expected)


SHAPES = {
    "cloud": lambda rng, n: rng.random((n, 2)),
    "trade-off": lambda rng, n: (
        x := rng.random((n, 1)),
        np.hstack([x, 1 - x + rng.normal(0, 0.01, (n, 1))]),
    )[1],
    "all on the front": lambda rng, n: (x := np.sort(rng.random(n)), np.column_stack([x, 1 - x]))[1],
    "all dominated but one": lambda rng, n: np.arange(n, dtype=float)[:, None] + np.zeros(2),
    "one point": lambda rng, n: np.ones((n, 2)),
    "few values": lambda rng, n: rng.integers(0, 5, (n, 2)).astype(float),
    "one column constant": lambda rng, n: np.column_stack([np.zeros(n), rng.random(n)]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spoilt", [False, True])
def test_mask_of_many_rows_equals_moocore(shape: str, spoilt: bool) -> None:
    """With so many rows the prefilter drops most of them before sorting; some rows are not finite."""
    rng = np.random.default_rng(0)
    costs = SHAPES[shape](rng, MIN_PREFILTER_ROWS + 11)
    if spoilt:
        costs[rng.integers(0, len(costs), 999), rng.integers(0, 2, 999)] = rng.choice(
            [np.nan, np.inf, -np.inf], 999
        )
    finite = np.isfinite(costs).all(axis=1)
    expected = np.zeros(len(costs), dtype=bool)
    expected[finite] = moocore.is_nondominated(costs[finite], keep_weakly=True)
    np.testing.assert_array_equal(is_nondominated(costs), expected)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([[1, 1], [1, 1]], [True, True]),
        ([[1, 2], [1, 1]], [False, True]),
        ([[1, 1], [2, 1], [1, 1]], [True, False, True]),
        ([[-0.0, 1], [0.0, 1]], [True, True]),
        ([[1, 3], [2, 2], [3, 1], [3, 3]], [True, True, True, False]),
        ([[np.nan, 0], [np.inf, 0], [-np.inf, 0], [1, 1]], [False, False, False, True]),
        ([[np.nan, np.nan]], [False]),
    ],
)
def test_mask_on_degenerate_costs(costs: list[list[float]], expected: list[bool]) -> None:
    assert is_nondominated(np.array(costs, dtype=float)).tolist() == expected


@pytest.mark.parametrize("dimensions", [2, 3])
def test_mask_of_nothing_is_empty(dimensions: int) -> None:
    mask = is_nondominated(np.empty((0, dimensions)))
    assert mask.shape == (0,)
    assert mask.dtype == bool


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
def test_mask_in_three_dimensions_ignores_rows_that_are_not_finite(spoilt: float) -> None:
    costs = np.array([[1.0, 1, 1], [spoilt, -9, -9], [2, 2, 2]])
    assert is_nondominated(costs).tolist() == [True, False, False]


def test_costs_are_lower_where_the_objective_is_better(points) -> None:
    np.testing.assert_array_equal(costs_of(points((0.6, 0.7))), [[0.6, -0.7]])


def test_front_minimises_attacker_and_maximises_matching(points) -> None:
    frame = points((0.8, 0.74), (0.6, 0.65), (0.7, 0.64), (0.55, 0.6), (0.8, 0.7))
    front = pareto_front(frame)
    assert front["attacker_auc_validation"].to_list() == [0.55, 0.6, 0.8]
    assert front["matching_auc_validation"].to_list() == [0.6, 0.65, 0.74]
    assert front["source"].unique().to_list() == ["search"]
    assert front["seeds"].unique().to_list() == [1]


def test_front_leaves_its_input_alone_and_ignores_its_order(searched) -> None:
    frame = searched(60)
    before = frame.clone()
    front = pareto_front(frame)
    assert_frame_equal(frame, before)
    for seed in range(5):
        assert_frame_equal(pareto_front(frame.sample(fraction=1, shuffle=True, seed=seed)), front)


def test_duplicates_of_a_front_point_all_stay_in_the_order_of_their_ids(points) -> None:
    frame = points((0.6, 0.7), (0.6, 0.7), (0.6, 0.69))
    for rows in (frame, frame.reverse()):
        assert pareto_front(rows)["trial_id"].to_list() == ["t0000", "t0001"]


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf"), float("-inf")])
def test_rows_without_a_finite_objective_are_never_on_the_front(points, missing: float | None) -> None:
    front = pareto_front(points((0.6, 0.7), (missing, 0.9), (0.5, missing)))
    assert front["trial_id"].to_list() == ["t0000"]


@pytest.mark.parametrize("status", ["stopped_early", "failed", "diverged"])
def test_only_complete_rows_count(trials, status: str) -> None:
    figures = {"attacker_auc_validation": 0.5, "matching_auc_validation": 0.9}
    worse = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    front = pareto_front(trials([{"status": status, **figures}, worse]))
    assert front["trial_id"].to_list() == ["t0001"]


def test_baselines_are_not_on_the_front(trials) -> None:
    good = {"phase": "baseline", "attacker_auc_validation": 0.5, "matching_auc_validation": 0.9}
    front = pareto_front(trials([good, {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}]))
    assert front["trial_id"].to_list() == ["t0001"]


def test_front_of_no_rows_is_empty_with_all_columns(points) -> None:
    front = pareto_front(points())
    assert front.height == 0
    assert front.columns == [*points().columns, "source", "seeds"]


def test_three_objectives_keep_what_only_the_third_defends(trials) -> None:
    seconds = Objective("wall_seconds", "time", "lower is cheaper", "minimize", 1e4)
    row = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    rows = [
        {**row, "wall_seconds": 20.0},
        {**row, "attacker_auc_validation": 0.61, "wall_seconds": 10.0},
        {**row, "attacker_auc_validation": 0.62, "wall_seconds": 15.0},
    ]
    front = pareto_front(trials(rows), (*SEARCH_OBJECTIVES, seconds))
    assert front["trial_id"].to_list() == ["t0000", "t0001"]


def test_front_is_sorted_by_the_first_objective_best_first(points) -> None:
    front = pareto_front(points((0.6, 0.65), (0.8, 0.74)), (MATCHING, ATTACKER))
    assert front["matching_auc_validation"].to_list() == [0.74, 0.65]


def test_front_of_many_trials_equals_brute_force(searched) -> None:
    frame = searched(120).filter(pl.col("phase") == "search", pl.col("status") == "complete")
    costs = costs_of(frame)
    beaten = [any((other <= one).all() and (other < one).any() for other in costs) for one in costs]
    kept = frame.filter(~pl.Series(beaten))["trial_id"]
    assert set(pareto_front(frame)["trial_id"]) == set(kept)
