"""Constraints: the violating values, the size of a violation, and unknown figures."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.spec.constraints import Constraint, parse, violations

NUMBERS = st.floats(-10, 10)
HOLDS = {
    "<=": lambda value, limit: value <= limit,
    ">=": lambda value, limit: value >= limit,
    "<": lambda value, limit: value < limit,
    ">": lambda value, limit: value > limit,
}


@given(st.sampled_from(list(HOLDS)), NUMBERS, NUMBERS | st.none())
def test_a_violation_is_above_zero_just_where_the_relation_does_not_hold(operator, limit, value):
    value = limit if value is None else value
    violation = Constraint("alpha", operator, limit).violation(value)
    assert (violation <= 0) == HOLDS[operator](value, limit)
    assert abs(violation) == pytest.approx(abs(value - limit))


@given(st.sampled_from(list(HOLDS)), NUMBERS)
def test_a_constraint_is_read_as_it_is_written(operator, limit):
    constraint = Constraint("noise_sd", operator, limit)
    assert parse(constraint.text) == constraint
    assert parse(f" noise_sd{operator}{limit!r} ") == constraint


def test_what_is_not_in_effect_violates_nothing_and_what_is_missing_is_not_known():
    constraints = (parse("noise_sd <= 0.05"), parse("matching_auc_validation >= 0.7"))
    for missing in ({}, {"matching_auc_validation": None}, {"matching_auc_validation": math.nan}):
        assert list(violations(constraints, {"alpha": 1.0}, missing).values()) == [0.0, None]
    there = violations(constraints, {"noise_sd": 0.25}, {"matching_auc_validation": 0.9})
    assert list(there.values()) == pytest.approx([0.2, -0.2])
