"""Sequences of designs that do not depend on results: random, along a Sobol sequence, or over a grid."""

from collections.abc import Container, Iterator
from itertools import chain
from random import Random

from aia_models.random_streams import stream_seed
from search_spaces.domains import Value
from search_spaces.grid import Grid
from search_spaces.spaces import Space
from search_spaces.unit_cube import from_point
from study.spec.choices import UnguidedSampler

SOBOL_BLOCK = 64  # points drawn at a time; a power of two keeps the sequence balanced


def design_sequence(
    sampler: UnguidedSampler, space: Space, seed: int, known: Container[dict[str, Value]] = ()
) -> Iterator[dict[str, Value]]:
    """Return the endless sequence of designs that `seed` determines.

    `random` is uniform on each parameter's scale. `qmc` is a scrambled Sobol sequence with one dimension per parameter;
    options and integers divide their dimension into equal parts. `grid` yields each design of the space's grid that is
    not `known` once, in random order, and random designs after that.
    """
    match sampler:
        case "random":
            return _random(space, seed)
        case "qmc":
            return _sobol(space, seed)
        case "grid":
            unknown = (
                design
                for design in Grid(space).shuffled(stream_seed(seed, "search", "grid"))
                if design not in known
            )
            return chain(unknown, _random(space, seed))


def _random(space: Space, seed: int) -> Iterator[dict[str, Value]]:
    random = Random(stream_seed(seed, "search", "random"))
    while True:
        yield from_point(space, [random.random() for _ in space.parameters])


def _sobol(space: Space, seed: int) -> Iterator[dict[str, Value]]:
    from scipy.stats.qmc import Sobol  # importing it takes a second, and only this sampler needs it

    dimensions = max(len(space.parameters), 1)
    sobol = Sobol(dimensions, scramble=True, rng=stream_seed(seed, "search", "qmc"))
    while True:
        for point in sobol.random(SOBOL_BLOCK):
            yield from_point(space, point[: len(space.parameters)].tolist())
