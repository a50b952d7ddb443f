"""The table `early_stopping` of a spec: the epochs after which it compares trials."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from study.spec.early_stopping import EarlyStopping


def rungs(grace: int, factor: float, epochs: int) -> tuple[int, ...]:
    return EarlyStopping(rule="mo_asha", grace_epochs=grace, reduction_factor=factor).rungs(epochs)


@pytest.mark.parametrize(
    ("grace", "factor", "epochs", "expected"),
    [
        (1, 3.0, 20, (1, 3)),
        (2, 3.0, 20, (2, 6)),
        (4, 3.0, 6, (4,)),
        (2, 3.0, 6, (2,)),
        (2, 2.0, 16, (2, 4, 8)),
        (1, 3.0, 9, (1, 3)),
        (1, 1.2, 4, (1, 2, 3)),
        (6, 3.0, 6, ()),
        (1, 3.0, 1, ()),
    ],
)
def test_rungs_grow_by_the_factor_while_the_next_one_lies_within_the_training(
    grace, factor, epochs, expected
):
    assert rungs(grace, factor, epochs) == expected


@settings(max_examples=1000)
# 1.21 rounds to 1, and 1.77 to the last epoch.
@example(1, 1.1, 2)
@given(st.integers(1, 30), st.floats(1.1, 5), st.integers(1, 60))
def test_rungs_are_distinct_and_in_order(grace, factor, epochs):
    found = rungs(grace, factor, epochs)
    assert list(found) == sorted(set(found))
    assert all(grace <= rung < epochs for rung in found)


def test_without_a_rule_there_are_no_rungs():
    assert EarlyStopping(rule="none", grace_epochs=1).rungs(20) == ()
