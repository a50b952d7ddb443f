"""What a reader of one kind of data set hands to the preparation."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class FaceSource:
    """Faces as they were found: labels as text, images not yet decoded.

    `identities` holds one name per image, `columns` attribute -> one text per image (empty = unknown) and
    `places` where each image's label stands, for messages. `key` is a sha256 in hex over everything that the
    images and labels depend on. `load(rows)` decodes the images of a range into uint8 tensors `[1, h, w]`.
    """

    title: str
    key: str
    identities: Sequence[str]
    columns: Mapping[str, Sequence[str]]
    places: Callable[[int], str]
    load: Callable[[range], Iterable[Tensor]]

    def __len__(self) -> int:
        return len(self.identities)


def key_over(parts: Iterable[object]) -> str:
    """Sha256 in hex over the parts' text, each ended by a newline."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part}\n".encode())
    return digest.hexdigest()
