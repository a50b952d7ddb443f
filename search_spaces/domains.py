"""Typed domains, which declare and check the range, the default and the meaning of a hyperparameter together."""

import math
from dataclasses import dataclass
from typing import Any, TypeGuard

from search_spaces.errors import SpaceError

Value = bool | int | float | str


@dataclass(frozen=True)
class When:
    """The condition that `parameter` is in effect and has one of `values`."""

    parameter: str
    values: tuple[Value, ...]


class _Domain:
    """The checks of every domain, which subclasses define by `contains`, `allowed` and `default`."""

    default: Any
    allowed: Any  # the range in words

    def __post_init__(self) -> None:
        if not self.contains(self.default):
            raise SpaceError(f"default {self.default!r} lies outside its own range: needs {self.allowed}")

    def contains(self, value: object) -> bool:
        """Return whether a search may propose `value`."""
        raise NotImplementedError

    def check(self, name: str, value: object) -> None:
        """Raise a SpaceError of one line if `value` of the parameter `name` is outside the range."""
        if not self.contains(value):
            raise SpaceError(f"{name} = {value!r} is out of range: needs {self.allowed}")


@dataclass(frozen=True)
class _Interval(_Domain):
    """A finite real number from `low` to `high`, both included."""

    low: float
    high: float
    default: float
    about: str
    when: When | None = None

    def __post_init__(self) -> None:
        if not (is_number(self.low) and is_number(self.high) and self.low < self.high):
            raise SpaceError(f"a range needs low < high, both finite: got {self.low!r}, {self.high!r}")
        super().__post_init__()

    @property
    def value_type(self) -> type:
        return float

    @property
    def allowed(self) -> str:
        """The range in words, for error messages."""
        return f"a number from {self.low:g} to {self.high:g}"

    def contains(self, value: object) -> bool:
        return is_number(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class Uniform(_Interval):
    """A real number from `low` to `high`, both included, searched on a linear scale."""


@dataclass(frozen=True)
class LogUniform(_Interval):
    """A real number from `low` > 0 to `high`, both included, searched on a log scale."""

    def __post_init__(self) -> None:
        if is_number(self.low) and self.low <= 0:
            raise SpaceError(f"a log range needs low > 0: got {self.low!r}")
        super().__post_init__()


@dataclass(frozen=True)
class Integer(_Domain):
    """A whole number from `low` >= 1 to `high`, both included, searched on a linear or, with `log`, on a log scale."""

    low: int
    high: int
    default: int
    about: str
    log: bool = False
    when: When | None = None

    def __post_init__(self) -> None:
        if not (is_whole(self.low) and is_whole(self.high) and 1 <= self.low < self.high):
            raise SpaceError(f"a whole range needs 1 <= low < high: got {self.low!r}, {self.high!r}")
        super().__post_init__()

    @property
    def value_type(self) -> type:
        return int

    @property
    def allowed(self) -> str:
        """The range in words, for error messages."""
        return f"a whole number from {self.low} to {self.high}"

    def contains(self, value: object) -> bool:
        return is_whole(value) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice(_Domain):
    """One of `options`, which are distinct and of one type, so that `True` is not `1`."""

    options: tuple[Value, ...]
    default: Value
    about: str
    when: When | None = None

    def __post_init__(self) -> None:
        if len({type(option) for option in self.options}) != 1 or len(set(self.options)) != len(self.options):
            raise SpaceError(f"options need to be distinct and of one type: got {self.options!r}")
        super().__post_init__()

    @property
    def value_type(self) -> type:
        return type(self.options[0])

    @property
    def allowed(self) -> str:
        """The options in words, for error messages."""
        return "one of " + ", ".join(_as_toml(option) for option in self.options)

    def contains(self, value: object) -> bool:
        return type(value) is self.value_type and value in self.options


Domain = Uniform | LogUniform | Integer | Choice


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether `value` is a finite real number; a bool is not a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether `value` is a whole number; a bool is not a number."""
    return isinstance(value, int) and not isinstance(value, bool)


def _as_toml(value: Value) -> str:
    """Return a value as a user writes it in a spec, but strings without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)
