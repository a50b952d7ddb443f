"""The grid over a space: designs with a few levels of each numeric parameter and every option of each choice.

A condition names one parent, so parameters form trees. The number of designs follows from the trees without listing
them, so that the grid of a large space costs nothing until a design is computed.
"""

from collections.abc import Iterator
from math import prod
from random import Random

from search_spaces.domains import Choice, Domain, Integer, LogUniform, Value
from search_spaces.spaces import Space

LEVELS = 4  # of a numeric parameter, including both ends of its range


def levels(domain: Domain) -> tuple[Value, ...]:
    """Return the values of a parameter in the grid, evenly spaced on its linear or log scale."""
    if isinstance(domain, Choice):
        return domain.options
    log = isinstance(domain, LogUniform) or (isinstance(domain, Integer) and domain.log)
    shares = [step / (LEVELS - 1) for step in range(LEVELS)]
    if log:
        reals = [domain.low * (domain.high / domain.low) ** share for share in shares]
    else:
        reals = [domain.low + share * (domain.high - domain.low) for share in shares]
    clipped = [
        min(max(real, domain.low), domain.high) for real in reals
    ]  # rounding errors may exceed the ends
    return tuple(dict.fromkeys(map(round, clipped) if isinstance(domain, Integer) else clipped))


class Grid:
    """The distinct designs of a space's grid, numbered from 0 to `size` - 1."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._levels = {name: levels(domain) for name, domain in space.parameters.items()}
        self._roots = [name for name, domain in space.parameters.items() if domain.when is None]
        self.size = prod(self._tree_size(root) for root in self._roots)

    def design(self, number: int) -> dict[str, Value]:
        """Return the design of a number, with its parameters in the order of the space."""
        values: dict[str, Value] = {}
        self._set_values(self._roots, number, values)
        return {name: values[name] for name in self._space.parameters if name in values}

    def shuffled(self, seed: int) -> Iterator[dict[str, Value]]:
        """Yield every design once, in a random order that depends on `seed`.

        Memory grows with the number of yielded designs, not with the size of the grid.
        """
        random = Random(seed)
        moved: dict[int, int] = {}  # a Fisher-Yates shuffle that stores only the positions it has changed
        for position in range(self.size):
            other = random.randrange(position, self.size)
            number = moved.get(other, other)
            moved[other] = moved.pop(position, position)
            yield self.design(number)

    def _children(self, parent: str, value: Value) -> list[str]:
        whens = ((name, domain.when) for name, domain in self._space.parameters.items())
        return [name for name, when in whens if when and when.parameter == parent and value in when.values]

    def _subtree_size(self, name: str, value: Value) -> int:
        """Return the number of designs of the parameters below `name` when it has `value`."""
        return prod(self._tree_size(child) for child in self._children(name, value))

    def _tree_size(self, name: str) -> int:
        """Return the number of designs of the parameter `name` and all parameters below it."""
        return sum(self._subtree_size(name, level) for level in self._levels[name])

    def _set_values(self, names: list[str], number: int, values: dict[str, Value]) -> None:
        """Set `values` to the design of a number in the grid of the trees that begin at `names`."""
        for name in names:
            number, in_tree = divmod(number, self._tree_size(name))
            for level in self._levels[name]:
                size = self._subtree_size(name, level)
                if in_tree < size:
                    values[name] = level
                    self._set_values(self._children(name, level), in_tree, values)
                    break
                in_tree -= size
