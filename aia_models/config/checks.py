"""Checks of values in configs; each raises ConfigError in one line that names the value and what is right."""

import math
from typing import Any, get_args

from aia_models.errors import ConfigError


def require(condition: bool, name: str, value: object, right: str) -> None:
    if not condition:
        raise ConfigError(f"{name} = {value!r}: expected {right}")


def require_one_of(kinds: Any, name: str, value: object) -> None:
    """`value` is one of a Literal's."""
    require(value in get_args(kinds), name, value, f"one of {', '.join(get_args(kinds))}")


def require_positive_integers(name: str, values: tuple[int, ...], count: int | None = None) -> None:
    whole = all(isinstance(value, int) and not isinstance(value, bool) and value > 0 for value in values)
    right = "positive whole numbers" if count is None else f"{count} positive whole numbers"
    require(whole and len(values) == (count or len(values)) and len(values) > 0, name, values, right)


def require_positive_integer(name: str, value: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
    require(whole, name, value, "a positive whole number")


def require_number(name: str, value: float, low: float, *, above: bool = False) -> None:
    right = f"a finite number {'above' if above else 'of at least'} {low:g}"
    finite = isinstance(value, int | float) and math.isfinite(value)
    require(finite and (value > low if above else value >= low), name, value, right)
