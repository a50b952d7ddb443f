"""Designs as points of the unit cube with one axis for each parameter of a space.

Parameters on a log scale are linear in the logarithm, and the options of a choice are evenly spaced.
"""

from collections.abc import Mapping, Sequence
from math import exp, log

from search_spaces.domains import Choice, Domain, Integer, LogUniform, Uniform, Value
from search_spaces.spaces import Space

INACTIVE = 0.5  # of a parameter that is not in effect; the axis of its parent distinguishes such designs


def to_point(space: Space, values: Mapping[str, Value | None]) -> list[float]:
    """Return a coordinate in [0, 1] for each parameter of the space, in their order.

    Values of other hyperparameters are ignored. Raises SpaceError if a value is outside its range.
    """
    point: list[float] = []
    for name, domain in space.parameters.items():
        value = values.get(name)
        if value is None:
            point.append(INACTIVE)
        else:
            domain.check(name, value)
            point.append(_coordinate(domain, value))
    return point


def from_point(space: Space, point: Sequence[float]) -> dict[str, Value]:
    """Return the design at a point of the unit cube `[parameter]`: the values of the parameters that are in effect."""
    values = {
        name: _value(domain, coordinate)
        for (name, domain), coordinate in zip(space.parameters.items(), point, strict=True)
    }
    return {name: values[name] for name in space.active(values)}


def _coordinate(domain: Domain, value: Value) -> float:
    if isinstance(domain, Choice):
        return domain.options.index(value) / max(len(domain.options) - 1, 1)
    assert not isinstance(value, str)
    if isinstance(domain, LogUniform) or (isinstance(domain, Integer) and domain.log):
        return log(value / domain.low) / log(domain.high / domain.low)
    return (value - domain.low) / (domain.high - domain.low)


def _value(domain: Domain, coordinate: float) -> Value:
    """Return the value at a coordinate; options and whole numbers get equal shares of their axis."""
    match domain:
        case Choice():
            return domain.options[min(int(coordinate * len(domain.options)), len(domain.options) - 1)]
        case Integer():
            low, high = domain.low - 0.5, domain.high + 0.5
            real = low * (high / low) ** coordinate if domain.log else low + coordinate * (high - low)
            return min(max(round(real), domain.low), domain.high)
        case LogUniform():
            value = exp(log(domain.low) + coordinate * log(domain.high / domain.low))
        case Uniform():
            value = domain.low + coordinate * (domain.high - domain.low)
    return min(max(value, domain.low), domain.high)
