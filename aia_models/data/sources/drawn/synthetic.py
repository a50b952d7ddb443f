"""Reader of `synthetic`: drawn faces that need no files and are the same on every machine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from aia_models.data.sources.categorical import Categorical
from aia_models.data.sources.drawn.drawing import DRAWN_SIDE, draw_faces
from aia_models.data.sources.drawn.people import SHOT, TRAITS, draw_person, draw_shot
from aia_models.data.sources.source import FaceSource, key_over
from aia_models.errors import DataError

IDENTITIES = 500
IMAGES_PER_IDENTITY = 6
_SEED = 20_240_601
# Part of the key of prepared copies: raise it when the drawing changes.
_DRAWING_VERSION = 1
# Small enough for the arrays to stay in the processor's cache: three times as fast as 64.
_BLOCK_IMAGES = 4


@dataclass(frozen=True)
class _DrawnImages:
    rows: range

    def __getitem__(self, rows: slice) -> "_DrawnImages":
        return _DrawnImages(self.rows[rows])

    def __iter__(self) -> Iterator[Tensor]:
        yield from torch.from_numpy(draw_images(self.rows)).unsqueeze(1)


def read_synthetic(location: str) -> FaceSource:
    """List 6 drawn images each of 500 people with the attribute `gender`; raises DataError when given a path."""
    if location:
        raise DataError(f"dataset 'synthetic:{location}' takes no path: write synthetic")
    names = [f"synthetic-{person + 1:04d}" for person in range(IDENTITIES)]
    genders = ["male" if is_male(person) else "female" for person in range(IDENTITIES)]
    return FaceSource(
        title="synthetic",
        key=key_over([_DRAWING_VERSION, _SEED, IDENTITIES, IMAGES_PER_IDENTITY, TRAITS, SHOT]),
        identities=Categorical.of(name for name in names for _ in range(IMAGES_PER_IDENTITY)),
        columns={"gender": Categorical.of(gender for gender in genders for _ in range(IMAGES_PER_IDENTITY))},
        places=lambda row: f"synthetic image {row}",
        images=_DrawnImages(range(IDENTITIES * IMAGES_PER_IDENTITY)),
    )


def is_male(person: int) -> bool:
    """Return whether the drawn person with this number, counted from 0, is male."""
    return draw_person(_person_stream(person))[0]


def draw_images(rows: range) -> UInt8[np.ndarray, "face 64 64"]:
    """Draw the images `rows` of the data set, in which each person has six consecutive images.

    Person i is drawn from the stream (seed, i) and its image j from (seed, i, j + 1), independent of the numbers of
    people and images.
    """
    blocks = [
        _draw_block(rows[start : start + _BLOCK_IMAGES]) for start in range(0, len(rows), _BLOCK_IMAGES)
    ]
    return np.concatenate(blocks)


def _draw_block(rows: range) -> UInt8[np.ndarray, "face 64 64"]:
    people = [draw_person(_person_stream(row // IMAGES_PER_IDENTITY))[1] for row in rows]
    streams = [_image_stream(*divmod(row, IMAGES_PER_IDENTITY)) for row in rows]
    shots = [draw_shot(stream) for stream in streams]
    shot = _by_name(SHOT, shots)
    faces = draw_faces(_by_name(TRAITS, people), shot)
    grain = np.stack([stream.random((2, DRAWN_SIDE, DRAWN_SIDE)).sum(axis=0) - 1.0 for stream in streams])
    noisy = faces + shot["noise"] * np.sqrt(6.0) * grain
    return np.rint(255.0 * np.clip(noisy, 0.0, 1.0)).astype(np.uint8)


def _person_stream(person: int) -> np.random.Generator:
    return np.random.default_rng([_SEED, person])


def _image_stream(person: int, image: int) -> np.random.Generator:
    # Not `image`: numpy pads seeds with zeros, so that (seed, i, 0) would be the person's own stream again.
    return np.random.default_rng([_SEED, person, image + 1])


def _by_name(names: Iterable[str], values: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {name: column[:, None, None] for name, column in zip(names, np.array(values).T, strict=True)}
