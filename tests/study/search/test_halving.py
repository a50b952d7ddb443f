"""The rule of early stopping, on random rungs and without Ray."""

import warnings

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.search.halving import Rungs, constrained_costs, survivors

REFERENCE = np.array([1.0, -0.5, 1.0, 1.0, 1.0])
OBJECTIVES = (2, 3, 5)
MAX_TRIALS = 40
RUNGS = settings(max_examples=500, deadline=None)


@st.composite
def steps(draw: st.DrawFn, shape: tuple[int, ...], count: int) -> np.ndarray:
    """Return integers from 0 to `count` - 1 from one draw of bytes, much faster than one draw for each."""
    size = int(np.prod(shape))
    return np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8).reshape(shape) % count


@st.composite
def rung_costs(draw: st.DrawFn) -> np.ndarray:
    """Return costs at a rung, attacker AUC, negative matching AUC and maybe more, coarse to have ties."""
    shape = (draw(st.integers(1, MAX_TRIALS)), draw(st.sampled_from(OBJECTIVES)))
    return draw(steps(shape, 13)) / 12 - np.eye(5)[1, : shape[1]]


factors = st.floats(1.1, 6.0)


def kept(costs: np.ndarray, factor: float) -> np.ndarray:
    return survivors(costs, factor, REFERENCE[: costs.shape[1]])


@RUNGS
@given(rung_costs(), factors, st.integers(0, 1000))
def test_a_trial_that_dominates_all_others_goes_on(costs, factor, place):
    best = costs.min(axis=0) - 0.01
    place %= len(costs) + 1
    assert kept(np.insert(costs, place, best, axis=0), factor)[place]


@RUNGS
@given(rung_costs(), factors, st.integers(0, 2**32 - 1))
def test_no_order_of_the_trials_matters(costs, factor, seed):
    order = np.random.default_rng(seed).permutation(len(costs))
    assert (kept(costs, factor)[order] == kept(costs[order], factor)).all()


@RUNGS
@given(rung_costs(), factors)
def test_trials_that_are_equal_share_their_fate(costs, factor):
    before = costs.copy()
    goes_on = kept(costs, factor)
    assert (costs == before).all(), "inputs stay as they are"
    _, place = np.unique(costs, axis=0, return_inverse=True)
    for group in np.unique(place):
        assert len(set(goes_on[place.reshape(-1) == group])) == 1


@RUNGS
@given(rung_costs(), factors)
def test_better_fronts_go_on_first_by_moocores_ranks(costs, factor):
    goes_on, rank = kept(costs, factor), moocore.pareto_rank(costs)
    room = int(np.ceil(len(costs) / factor))
    assert goes_on.sum() >= room
    worst = rank[goes_on].max()
    assert goes_on[rank < worst].all()
    assert (rank < worst).sum() < room, "the last front was not needed"


@RUNGS
@given(rung_costs(), factors)
def test_within_the_last_front_more_hypervolume_goes_on_first(costs, factor):
    costs = costs[:, :3]
    distinct = np.unique(costs, axis=0)
    goes_on, rank = kept(distinct, factor), moocore.pareto_rank(distinct)
    front = rank == rank[goes_on].max()
    spread = moocore.hv_contributions(distinct[front], ref=REFERENCE[: costs.shape[1]])
    worst = spread[goes_on[front]].min()
    better = (rank < rank[front][0]).sum() + (spread > worst).sum()
    assert better < np.ceil(len(distinct) / factor), "only ties exceed the limit"
    if not goes_on[front].all():
        assert spread[goes_on[front]].min() > spread[~goes_on[front]].max()


def test_with_many_objectives_the_least_crowded_of_a_front_go_on():
    """Five trials are each the best in one objective; ten further trials crowd around the first of them."""
    corners = 1 - np.eye(5)
    crowd = corners[0] + 0.001 * np.arange(1, 11)[:, None] * np.array([1.0, -1, 0, 0, 0])
    goes_on = survivors(np.vstack([crowd, corners]), 3.0, np.ones(5) * 2)
    assert goes_on[-4:].all()
    assert goes_on[:10].sum() <= 1


@pytest.mark.parametrize("factor", [2.0, 3.0, 4.0])
def test_the_share_that_goes_on_tends_to_one_in_the_reduction_factor(factor):
    """Trials arrive one by one, as in the scheduler, and each is compared with the earlier ones."""
    rng, decisions = np.random.default_rng(0), []
    for _ in range(20):
        costs = rng.normal(size=(300, 2)) * 0.1 + [0.6, -0.8]
        rung = Rungs([1], factor, REFERENCE[:2])
        decisions.append([rung.promotes(1, own) for own in costs])
    shares = np.array(decisions)
    late = shares[:, 150:]
    spread = 4 * late.std() / np.sqrt(late.size)
    assert abs(late.mean() - 1 / factor) < spread + 1 / 150
    assert shares[:, 0].all(), "the first to come has nobody to fall behind"


@RUNGS
@given(rung_costs(), factors, steps((MAX_TRIALS,), 5))
def test_who_violates_constraints_goes_on_only_behind_all_that_violate_them_less(costs, factor, levels):
    violations = np.maximum(np.array([0.0, -0.1, 1e-9, 0.1, 3.0])[levels[: len(costs)]], 0)
    limited = np.array([constrained_costs(own, by) for own, by in zip(costs, violations, strict=True)])
    goes_on = kept(limited, factor)
    less = violations < max(violations[goes_on])
    room = int(np.ceil(len(costs) / factor))
    assert goes_on[less].all()
    assert less.sum() < room, "the largest violation was not needed"
    within = violations == 0
    if within.any():
        assert within[goes_on].sum() >= min(room, within.sum())


def test_trials_without_a_constrained_figure_go_on_together_where_there_are_no_others():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert survivors(np.full((3, 5), np.inf), 3.0, REFERENCE).all()
