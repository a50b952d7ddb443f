"""Positions of values on parallel axes."""

import math

import numpy as np
import pytest

from analysis.summaries.coordinates import INACTIVE_POSITION, axes
from analysis.tables.objectives import SEARCH_OBJECTIVES

FIGURES = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}


def test_only_what_varies_has_an_axis_and_objectives_always(trials) -> None:
    rows = [
        {**FIGURES, "alpha": 1.0, "beta": beta, "quantise_bits": bits}
        for beta, bits in ((0.1, 3), (1.0, None))
    ]
    found = axes(trials(rows), SEARCH_OBJECTIVES)
    assert [axis.column for axis in found] == ["beta", "attacker_auc_validation", "matching_auc_validation"]
    np.testing.assert_array_equal(found[1].positions, [0.5, 0.5])
    assert found[1].ticks == (("0.6", 0.5),)


def test_a_logarithmic_search_has_a_logarithmic_axis_unless_a_value_is_0(trials) -> None:
    beta = axes(trials([{**FIGURES, "beta": b} for b in (0.01, 0.1, 10.0)]), SEARCH_OBJECTIVES)[0]
    assert beta.positions == pytest.approx([0, 1 / 3, 1])
    assert beta.ticks == (("0.01", 0.0), ("10", 1.0))
    margin = axes(trials([{**FIGURES, "margin": m} for m in (1.0, 2.0, 3.0)]), SEARCH_OBJECTIVES)[0]
    assert margin.positions == pytest.approx([0, 0.5, 1])
    zero = axes(trials([{**FIGURES, "beta": b} for b in (0.0, 0.25, 1.0)]), SEARCH_OBJECTIVES)[0]
    assert zero.positions == pytest.approx([0, 0.25, 1])


def test_choices_stand_in_the_order_of_the_search_and_what_is_not_in_effect_apart(trials) -> None:
    rows = [
        {**FIGURES, "channel": "quantise", "quantise_bits": 2, "erasure": True},
        {**FIGURES, "channel": "none", "erasure": False},
        {**FIGURES, "channel": "quantise", "quantise_bits": 8, "erasure": True},
    ]
    channel, bits, erasure = axes(trials(rows), SEARCH_OBJECTIVES)[:3]
    assert channel.ticks == (("none", 0.0), ("quantise", 1.0))
    assert channel.positions.tolist() == [1, 0, 1]
    assert bits.positions.tolist() == [0, INACTIVE_POSITION, 1]
    assert bits.ticks == (("2", 0.0), ("8", 1.0), ("off", INACTIVE_POSITION))
    assert erasure.ticks == (("true", 0.0), ("false", 1.0))
    assert all(math.isfinite(place) for axis in (channel, bits, erasure) for place in axis.positions)
