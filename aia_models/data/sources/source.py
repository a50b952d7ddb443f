"""The common form in which readers of all kinds of data sets hand faces to the preparation."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from aia_models.data.sources.categorical import Categorical


@dataclass(frozen=True)
class Unreadable:
    """An image file that cannot be decoded: its path and the reason."""

    path: str
    why: str


@runtime_checkable
class SourceImages(Protocol):
    """A sequence of images that are decoded on iteration; cheap to slice and to send to another process."""

    def __getitem__(self, rows: slice, /) -> "SourceImages":
        """Return a slice of the images, in the same order."""
        ...

    def __iter__(self) -> Iterator[Tensor | Unreadable]:
        """Decode one image after the other into uint8 `[1, h, w]`, or `[3, h, w]` where colour is read."""
        ...


@dataclass(frozen=True)
class SourceTemplates:
    """Templates of `values` values each; `read()` yields them in order, some thousands at a time."""

    values: int
    read: Callable[[], Iterator[Float32[np.ndarray, "n d"]]]


@dataclass(frozen=True)
class Remark:
    """A count for the user of a data set, such as "3 listed images are missing", and the first case."""

    count: int
    what: str
    first: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.what}, the first: {self.first}"


@dataclass(frozen=True)
class FaceSource:
    """A data set as its reader lists it: labels as text, images not yet decoded and templates not yet read.

    `identities` names the person of each image. `columns` maps attribute -> one text per image (empty = unknown).
    `places(row)` names file and line of an image's label, for messages. `key` is a sha256 in hex over everything that
    images and labels depend on. `missing` counts listed images without a file; `tolerated_share` is the share of listed
    images that may be missing or unreadable. `partition` counts the images in the data set's own splits, which are
    recorded but not used.
    """

    title: str
    key: str
    identities: Categorical
    columns: Mapping[str, Categorical]
    places: Callable[[int], str]
    images: SourceImages | SourceTemplates
    missing: int = 0
    tolerated_share: float = 0.0
    remarks: tuple[Remark, ...] = ()
    partition: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.identities)


def key_over(parts: Iterable[object]) -> str:
    """Return the sha256 in hex over the parts' texts, each followed by a newline."""
    return hashlib.sha256("".join([f"{part}\n" for part in parts]).encode()).hexdigest()
