"""Designs drawn whatever the results are: at random, along a Sobol sequence, over a grid."""

from collections.abc import Container, Iterator
from itertools import chain
from random import Random

from aia_models.random_streams import stream_seed
from search_spaces.domains import Value
from search_spaces.grid import Grid
from search_spaces.spaces import Space
from search_spaces.unit_cube import from_point
from study.spec.choices import UnguidedSampler

SOBOL_BLOCK = 64  # points at a time; a power of two keeps blocks balanced


def designs(
    sampler: UnguidedSampler, space: Space, seed: int, known: Container[dict[str, Value]] = ()
) -> Iterator[dict[str, Value]]:
    """The endless sequence that `seed` decides.

    `random` is uniform on each parameter's scale; `qmc` is a scrambled Sobol sequence with a dimension per parameter,
    options and whole numbers by equal parts of their dimension; `grid` takes the designs of the space's grid, each
    once and none that is `known`, in a random order, then goes on at random.
    """
    match sampler:
        case "random":
            return _random(space, seed)
        case "qmc":
            return _sobol(space, seed)
        case "grid":
            fresh = (
                design
                for design in Grid(space).shuffled(stream_seed(seed, "search", "grid"))
                if design not in known
            )
            return chain(fresh, _random(space, seed))


def _random(space: Space, seed: int) -> Iterator[dict[str, Value]]:
    random = Random(stream_seed(seed, "search", "random"))
    while True:
        yield from_point(space, [random.random() for _ in space.parameters])


def _sobol(space: Space, seed: int) -> Iterator[dict[str, Value]]:
    from scipy.stats.qmc import Sobol  # takes a second to import, and only this sampler needs it

    dimensions = max(len(space.parameters), 1)
    sobol = Sobol(dimensions, scramble=True, rng=stream_seed(seed, "search", "qmc"))
    while True:
        for point in sobol.random(SOBOL_BLOCK):
            yield from_point(space, point[: len(space.parameters)].tolist())
