"""The grid holds each design of a plain enumeration once, in an order that the seed decides."""

from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.domains import Integer, LogUniform, Uniform
from search_spaces.grid import LEVELS, Grid, levels
from search_spaces.spaces import SPACES, Space


def enumerated(space: Space) -> set[tuple]:
    """Return the grid by plain enumeration: the active parameters of every combination of levels."""
    names, axes = list(space.parameters), [levels(domain) for domain in space.parameters.values()]
    points = (dict(zip(names, point, strict=True)) for point in product(*axes))
    return {tuple((name, point[name]) for name in space.active(point)) for point in points}


@pytest.mark.parametrize("name", ["code", "alpha-beta", "paper"])
def test_it_holds_what_a_plain_enumeration_finds(name):
    space, grid = SPACES[name], Grid(SPACES[name])
    designs = [grid.design(number) for number in range(grid.size)]
    assert {tuple(design.items()) for design in designs} == enumerated(space)
    assert len(designs) == len(enumerated(space))
    for design in designs:
        space.check(design)


def test_the_alpha_beta_grid_is_of_288_designs():
    assert Grid(SPACES["alpha-beta"]).size == 4 * 4 * 2 * (1 + 4 + 4)


@given(st.integers(0, 2**32))
def test_a_shuffle_is_every_design_once_and_follows_the_seed(seed):
    grid = Grid(SPACES["paper"])
    order = [tuple(design.items()) for design in grid.shuffled(seed)]
    assert sorted(order) == sorted(enumerated(SPACES["paper"]))
    assert order == [tuple(design.items()) for design in grid.shuffled(seed)]


def test_other_seeds_give_other_orders():
    grid = Grid(SPACES["alpha-beta"])
    orders = {tuple(map(str, islice(grid.shuffled(seed), 5))) for seed in range(20)}
    assert len(orders) == 20


def test_the_first_design_is_drawn_evenly():
    grid = Grid(SPACES["paper"])
    firsts = [next(grid.shuffled(seed)) for seed in range(1600)]
    counts = [firsts.count(grid.design(number)) for number in range(grid.size)]
    # The expected count is 100, with a standard deviation of 10.
    assert min(counts) > 60
    assert max(counts) < 140


def test_a_space_too_large_to_list_gives_distinct_valid_designs_at_once():
    grid = Grid(SPACES["full"])
    designs = list(islice(grid.shuffled(0), 50))
    assert grid.size > 10**11
    assert len({str(design) for design in designs}) == 50
    for design in designs:
        SPACES["full"].check(design)


def test_levels_are_even_on_the_scale_and_reach_both_ends():
    assert levels(Uniform(0.0, 3.0, default=1.0, about="")) == pytest.approx((0.0, 1.0, 2.0, 3.0))
    assert levels(LogUniform(0.001, 1.0, default=0.1, about="")) == pytest.approx((0.001, 0.01, 0.1, 1.0))
    assert levels(Integer(1, 8, default=3, about="")) == (1, 3, 6, 8)
    assert levels(Integer(1, 2, default=1, about="")) == (1, 2)
    assert LEVELS == 4


def test_a_space_without_parameters_has_one_design():
    grid = Grid(SPACES["paper"].without({"alpha": 0.5, "beta": 0.5}))
    assert list(grid.shuffled(0)) == [{}]
