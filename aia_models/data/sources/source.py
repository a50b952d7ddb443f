"""What a reader of one kind of data set hands to the preparation."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from torch import Tensor

from aia_models.data.sources.categorical import Categorical


@dataclass(frozen=True)
class Unreadable:
    """An image file that cannot be decoded: where it lies and what is wrong with it."""

    path: str
    why: str


@runtime_checkable
class SourceImages(Protocol):
    """Images that are not decoded yet, cheap to cut into parts and to send to another process."""

    def __getitem__(self, rows: slice, /) -> "SourceImages":
        """Some of them, in the same order."""
        ...

    def __iter__(self) -> Iterator[Tensor | Unreadable]:
        """Decodes one after the other, uint8 `[1, h, w]`."""
        ...


@dataclass(frozen=True)
class Remark:
    """Something about a data set that its user should know, as "3 listed images are missing", and where first."""

    count: int
    what: str
    first: str

    def __str__(self) -> str:
        return f"{self.count:,} {self.what}, the first: {self.first}"


@dataclass(frozen=True)
class FaceSource:
    """Faces as they were found: labels as text, images not yet decoded.

    `identities` names a person per image, `columns` maps attribute -> one text per image (empty = unknown) and
    `places` where each image's label stands, for messages. `key` is a sha256 in hex over everything that the
    images and labels depend on. `missing` counts images that are listed but not there, and `tolerated_share`
    says how many of the listed ones may be missing or unreadable. `partition` counts the images in the
    data set's own parts, which are recorded and not used.
    """

    title: str
    key: str
    identities: Categorical
    columns: Mapping[str, Categorical]
    places: Callable[[int], str]
    images: SourceImages
    missing: int = 0
    tolerated_share: float = 0.0
    remarks: tuple[Remark, ...] = ()
    partition: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.identities)


def key_over(parts: Iterable[object]) -> str:
    """Sha256 in hex over the parts' text, each ended by a newline."""
    return hashlib.sha256("".join([f"{part}\n" for part in parts]).encode()).hexdigest()
