"""The grid over a space: a few levels per numeric parameter, every option, conditional parameters only where in effect.

Since a condition names one parent, parameters form trees: the designs of a tree are counted, not listed, and the
grid of a large space costs nothing until its designs are asked for.
"""

from collections.abc import Iterator
from math import prod
from random import Random

from search_spaces.domains import Choice, Domain, Integer, LogUniform, Value
from search_spaces.spaces import Space

LEVELS = 4  # of a numeric parameter, both ends among them


def levels(domain: Domain) -> tuple[Value, ...]:
    """The grid's values of a parameter, evenly spaced on its own scale."""
    if isinstance(domain, Choice):
        return domain.options
    log = isinstance(domain, LogUniform) or (isinstance(domain, Integer) and domain.log)
    shares = [step / (LEVELS - 1) for step in range(LEVELS)]
    if log:
        reals = [domain.low * (domain.high / domain.low) ** share for share in shares]
    else:
        reals = [domain.low + share * (domain.high - domain.low) for share in shares]
    within = [min(max(real, domain.low), domain.high) for real in reals]
    return tuple(dict.fromkeys(map(round, within) if isinstance(domain, Integer) else within))


class Grid:
    """The designs of a space's grid by number, 0 to `size` - 1, each once."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._levels = {name: levels(domain) for name, domain in space.parameters.items()}
        self._roots = [name for name, domain in space.parameters.items() if domain.when is None]
        self.size = prod(self._count(root) for root in self._roots)

    def design(self, number: int) -> dict[str, Value]:
        """The design of that number, parameters in the order of the space."""
        values: dict[str, Value] = {}
        self._place(self._roots, number, values)
        return {name: values[name] for name in self._space.parameters if name in values}

    def shuffled(self, seed: int) -> Iterator[dict[str, Value]]:
        """Every design once, in an order drawn from `seed`; memory grows with what is taken, not with the grid."""
        random = Random(seed)
        moved: dict[int, int] = {}  # Fisher-Yates shuffle that keeps only the places it has touched
        for place in range(self.size):
            other = random.randrange(place, self.size)
            number = moved.get(other, other)
            moved[other] = moved.pop(place, place)
            yield self.design(number)

    def _children(self, parent: str, value: Value) -> list[str]:
        whens = ((name, domain.when) for name, domain in self._space.parameters.items())
        return [name for name, when in whens if when and when.parameter == parent and value in when.values]

    def _count_below(self, name: str, value: Value) -> int:
        return prod(self._count(child) for child in self._children(name, value))

    def _count(self, name: str) -> int:
        return sum(self._count_below(name, level) for level in self._levels[name])

    def _place(self, names: list[str], number: int, values: dict[str, Value]) -> None:
        for name in names:
            number, within = divmod(number, self._count(name))
            for level in self._levels[name]:
                below = self._count_below(name, level)
                if within < below:
                    values[name] = level
                    self._place(self._children(name, level), within, values)
                    break
                within -= below
