"""Attainment surfaces equal those found by counting runs; each complete seed is a run."""

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.errors import AnalysisError
from analysis.fronts.pareto import is_nondominated
from analysis.tables.objectives import SEARCH_OBJECTIVES
from analysis.uncertainty.attainment import BEST, MEDIAN, WORST, ConfirmedRuns, confirmed_runs

COARSE = st.sampled_from([0.5, 0.6, 0.65, 0.7, 1.0])
REFERENCE = np.array([1.0, -0.5])


@st.composite
def runs(draw) -> ConfirmedRuns:
    """Return two to five runs of up to six designs each, with ties, duplicates and dominated points."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    figures = draw(arrays(float, (sum(sizes), 2), elements=COARSE))
    return ConfirmedRuns(figures * (1, -1), np.repeat(np.arange(len(sizes)), sizes), SEARCH_OBJECTIVES)


def attained(points: np.ndarray, at: np.ndarray) -> bool:
    return bool((points <= at).all(axis=1).any())


@settings(max_examples=100, deadline=None)
@given(runs())
def test_a_surface_bounds_what_so_many_runs_attain(these: ConfirmedRuns) -> None:
    surfaces = these.surfaces()
    each = [these.costs[these.seed == seed] for seed in np.unique(these.seed)]
    for at in (
        np.array(np.meshgrid([0.55, 0.6, 0.65, 0.7, 0.8], [-0.9, -0.7, -0.65, -0.6, -0.4])).reshape(2, -1).T
    ):
        count = sum(attained(points, at) for points in each)
        assert attained(surfaces[BEST], at) == (count >= 1)
        assert attained(surfaces[MEDIAN], at) == (2 * count >= len(each))
        assert attained(surfaces[WORST], at) == (count == len(each))


@settings(max_examples=50, deadline=None)
@given(runs())
def test_vorobev_means_are_those_of_the_runs(these: ConfirmedRuns) -> None:
    before = these.costs.copy()
    found = these.vorobev()
    each = [these.costs[these.seed == seed] for seed in np.unique(these.seed)]
    volumes = [moocore.hypervolume(points, ref=REFERENCE) for points in each]
    assert found.mean_hypervolume == pytest.approx(np.mean(volumes))
    union = [moocore.hypervolume(np.vstack([points, found.expectation]), ref=REFERENCE) for points in each]
    own = moocore.hypervolume(found.expectation, ref=REFERENCE)
    assert found.deviation == pytest.approx(
        np.mean([2 * u - v - own for u, v in zip(union, volumes, strict=True)])
    )
    assert 0 <= found.threshold_percent <= 100
    np.testing.assert_array_equal(these.costs, before)


def test_runs_that_agree_do_not_deviate() -> None:
    points = np.array([[0.6, -0.7], [0.7, -0.8]])
    same = ConfirmedRuns(np.vstack([points, points]), np.array([1, 1, 2, 2]), SEARCH_OBJECTIVES)
    assert same.vorobev().deviation == pytest.approx(0, abs=1e-12)
    for surface in same.surfaces().values():
        np.testing.assert_array_equal(np.unique(surface, axis=0), points)


def confirmation(design: str, seed: int, **more) -> dict:
    figures = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    return {"phase": "confirm", "design_id": design, "seed": seed, **figures, **more}


def test_runs_are_the_seeds_with_all_confirmed_designs(trials) -> None:
    rows = [{}, *(confirmation(design, seed) for seed in (9, 3) for design in "ba"), confirmation("a", 5)]
    found = confirmed_runs(trials(rows), "s")
    assert found.seed.tolist() == [3, 3, 9, 9]
    assert found.count == 2
    assert is_nondominated(found.costs).all()


def test_a_training_that_failed_attains_nothing(trials) -> None:
    rows = [confirmation(design, seed) for seed in (1, 2) for design in "ab"]
    rows[0]["status"] = "failed"
    assert confirmed_runs(trials(rows), "s").seed.tolist() == [1, 2, 2]


@pytest.mark.parametrize("seeds", [0, 1])
def test_too_few_seeds_are_an_error(trials, seeds: int) -> None:
    with pytest.raises(AnalysisError, match=f"^s: .*trained: {seeds}; .*at least 2, .*: aia-study confirm s"):
        confirmed_runs(trials([{}, *(confirmation("a", seed) for seed in range(seeds))]), "s")
    with pytest.raises(AnalysisError, match="4 objectives"):
        confirmed_runs(trials([]), "s", SEARCH_OBJECTIVES * 2)
