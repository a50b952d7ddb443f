"""Domains check ranges and defaults when they are declared, and values later."""

import math

import pytest

from search_spaces.domains import Choice, Integer, LogUniform, Uniform
from search_spaces.errors import SpaceError


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: Uniform(0.0, 1.0, default=1.5, about=""), "default 1.5 lies outside"),
        (lambda: LogUniform(0.1, 1.0, default=0.01, about=""), "default 0.01 lies outside"),
        (lambda: Integer(1, 8, default=9, about=""), "default 9 lies outside"),
        (lambda: Choice(("a", "b"), default="c", about=""), "default 'c' lies outside"),
        (lambda: Choice((1, 2), default=True, about=""), "default True lies outside"),
        (lambda: Uniform(1.0, 1.0, default=1.0, about=""), "low < high"),
        (lambda: Uniform(0.0, math.inf, default=1.0, about=""), "finite"),
        (lambda: LogUniform(0.0, 1.0, default=0.5, about=""), "low > 0"),
        (lambda: Integer(0, 8, default=1, about=""), "1 <= low"),
        (lambda: Choice((1, "a"), default=1, about=""), "of one type"),
        (lambda: Choice((1, True), default=1, about=""), "of one type"),
        (lambda: Choice(("a", "a"), default="a", about=""), "distinct"),
        (lambda: Choice((), default="a", about=""), "distinct and of one type"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declare, message):
    with pytest.raises(SpaceError, match=message):
        declare()


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (
            Uniform(0.0, 1.0, default=0.5, about=""),
            [0, 0.0, 1, 0.3],
            [-0.1, 1.1, math.nan, True, "0.5", None],
        ),
        (LogUniform(0.1, 30.0, default=1.0, about=""), [0.1, 30, 2.5], [0.0, 31, math.inf, False, "1"]),
        (Integer(1, 8, default=3, about=""), [1, 8], [0, 9, 3.0, True, "3", None]),
        (Choice((True, False), default=True, about=""), [True, False], [1, 0, "true", None]),
        (Choice((8, 16), default=8, about=""), [8, 16], [8.0, 12, "8", [8]]),
        (Choice(("none", "noise"), default="noise", about=""), ["none"], ["None", "quantise", None]),
    ],
)
def test_contains_minds_range_and_type(domain, inside, outside):
    assert [value for value in inside if not domain.contains(value)] == []
    assert [value for value in outside if domain.contains(value)] == []


def test_check_names_value_and_range_in_one_line():
    domain = Choice((True, False), default=True, about="")
    with pytest.raises(SpaceError) as caught:
        domain.check("erasure", "yes")
    for word in ("erasure = 'yes'", "true", "false"):
        assert word in str(caught.value)
    with pytest.raises(SpaceError, match=r"beta = 40 .*0.1 to 30"):
        LogUniform(0.1, 30.0, default=1.0, about="").check("beta", 40)


def test_domains_do_not_change():
    with pytest.raises(AttributeError):
        Uniform(0.0, 1.0, default=0.5, about="").low = 2.0  # type: ignore[misc]
