import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.fronts.hypervolume import hypervolume, hypervolume_contributions
from analysis.fronts.pareto import pareto_front
from analysis.tables.objectives import ATTACKER, MATCHING, SEARCH_OBJECTIVES, Objective

# Some AUCs lie beyond the reference point, on both sides.
AUC = st.integers(35, 110).map(lambda percent: percent / 100)


def test_one_point_is_a_rectangle(points) -> None:
    assert hypervolume(points((0.6, 0.7))) == pytest.approx(0.4 * 0.2)


def test_two_points_are_two_rectangles_less_their_overlap(points) -> None:
    found = hypervolume(points((0.6, 0.7), (0.8, 0.75)))
    assert found == pytest.approx(0.4 * 0.2 + 0.2 * 0.25 - 0.2 * 0.2)


def test_perfect_privacy_and_matching_reach_the_largest_volume(points) -> None:
    assert hypervolume(points((0.5, 1.0))) == pytest.approx(0.25)


def test_nothing_has_no_volume(points, trials) -> None:
    assert hypervolume(points()) == 0.0
    assert hypervolume(trials([{"status": "failed"}])) == 0.0


@pytest.mark.parametrize("outside", [(1.0, 0.9), (0.6, 0.5), (1.1, 0.9), (0.6, 0.3)])
def test_points_not_better_than_the_reference_contribute_nothing(points, outside) -> None:
    assert hypervolume(points(outside)) == 0.0
    inside = (0.7, 0.6)
    assert hypervolume(points(inside, outside)) == pytest.approx(hypervolume(points(inside)))


def test_a_dominated_point_adds_nothing_and_order_does_not_matter(points) -> None:
    front = [(0.6, 0.7), (0.8, 0.75)]
    expected = hypervolume(points(*front))
    assert hypervolume(points(*front[::-1], (0.85, 0.74), front[0])) == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(pairs=st.lists(st.tuples(AUC, AUC), min_size=1, max_size=8))
def test_volume_equals_counting_cells(points, pairs) -> None:
    """With figures in whole percent the volume equals that of the dominated cells of 0.01 x 0.01."""
    attacker = np.arange(0.355, 1.0, 0.01)[:, None]
    matching = np.arange(0.505, 1.1, 0.01)[None, :]
    dominated = np.any([(a < attacker) & (m > matching) for a, m in pairs], axis=0)
    assert hypervolume(points(*pairs)) == pytest.approx(dominated.sum() * 1e-4, abs=1e-9)


def test_three_objectives_by_inclusion_and_exclusion(trials) -> None:
    seconds = Objective("wall_seconds", "time", "lower is cheaper", "minimize", 100.0)
    corners = np.array([(0.6, 0.7, 80.0), (0.7, 0.8, 60.0), (0.8, 0.65, 20.0)])
    names = (ATTACKER.column, MATCHING.column, "wall_seconds")
    frame = trials([dict(zip(names, corner, strict=True)) for corner in corners.tolist()])

    def joint(*members: int) -> float:
        sides = np.array([1, 0.5, 100]) - corners[list(members)]
        sides[:, 1] *= -1
        return float(sides.min(axis=0).prod())

    expected = joint(0) + joint(1) + joint(2) - joint(0, 1) - joint(0, 2) - joint(1, 2) + joint(0, 1, 2)
    assert hypervolume(frame, (*SEARCH_OBJECTIVES, seconds)) == pytest.approx(expected)


@pytest.mark.parametrize("dimensions", [2, 3])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_contribution_is_what_the_volume_loses_without_the_row(points, data, dimensions: int) -> None:
    third = Objective("attacker_auc_test", "attacker", "lower is more private", "minimize", 1.0)
    objectives = (*SEARCH_OBJECTIVES, third)[:dimensions]
    drawn = data.draw(st.lists(st.tuples(AUC, AUC, AUC), max_size=8))
    frame = points(*(pair[:2] for pair in drawn)).with_columns(
        attacker_auc_test=pl.Series([one[2] for one in drawn], dtype=pl.Float64)
    )
    front = pareto_front(frame, objectives)
    found = hypervolume_contributions(front, objectives)
    assert found.shape == (front.height,)
    whole = hypervolume(front, objectives)
    for place, contribution in enumerate(found):
        others = front.with_row_index("place").filter(pl.col("place") != place)
        assert contribution == pytest.approx(whole - hypervolume(others, objectives), abs=1e-12)
