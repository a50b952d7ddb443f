"""Typed domains: range, default and meaning of a hyperparameter, declared and checked together."""

import math
from dataclasses import dataclass
from typing import Any, TypeGuard

from search_spaces.errors import SpaceError

Value = bool | int | float | str


@dataclass(frozen=True)
class When:
    """A parameter exists only where `parameter` is active and its value is among `values`."""

    parameter: str
    values: tuple[Value, ...]


class _Domain:
    """What every domain derives from its `contains`, `allowed` and `default`."""

    default: Any
    allowed: Any

    def __post_init__(self) -> None:
        if not self.contains(self.default):
            raise SpaceError(f"default {self.default!r} lies outside its own range: needs {self.allowed}")

    def contains(self, value: object) -> bool:
        """Whether a search may propose `value`."""
        raise NotImplementedError

    def check(self, name: str, value: object) -> None:
        """Raise a SpaceError of one line where `value` lies outside."""
        if not self.contains(value):
            raise SpaceError(f"{name} = {value!r} is out of range: needs {self.allowed}")


@dataclass(frozen=True)
class _Interval(_Domain):
    """A finite real number between `low` and `high`, both included."""

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
    """A real number between `low` and `high`, both included, searched on a linear scale."""


@dataclass(frozen=True)
class LogUniform(_Interval):
    """A real number between `low` > 0 and `high`, both included, searched on a log scale."""

    def __post_init__(self) -> None:
        if is_number(self.low) and self.low <= 0:
            raise SpaceError(f"a log range needs low > 0: got {self.low!r}")
        super().__post_init__()


@dataclass(frozen=True)
class Integer(_Domain):
    """A whole number between `low` >= 1 and `high`, both included; `log` searches it on a log scale."""

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
    """One of `options`, which are distinct and of one type; `True` is not `1`."""

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
    """Whether `value` is a finite real number; a bool is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether `value` is a whole number; a bool is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def _as_toml(value: Value) -> str:
    """A value as a user writes it in a spec, strings without their quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)
