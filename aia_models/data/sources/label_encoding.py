"""Encodes the labels of a data set: identities as indices, attributes as 1, 0 and -1 (unknown)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from aia_models.data.sources.attributes import parse_attributes
from aia_models.data.sources.source import FaceSource
from aia_models.errors import DataError

_SHOWN_ATTRIBUTES = 8


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of `N` images.

    `identity` is int32 `[N]`, indices into `identity_names`; `attributes` maps name -> int8 `[N]`.
    """

    identity: np.ndarray
    identity_names: list[str]
    attributes: Mapping[str, np.ndarray]

    def kept(self, rows: Bool[np.ndarray, " face"]) -> "Labels":
        """Return the labels of the images in the mask `rows`, without identities that have no image left."""
        present, identity = np.unique(self.identity[rows], return_inverse=True)
        return Labels(
            identity.astype(np.int32),
            [self.identity_names[number] for number in present],
            {name: values[rows] for name, values in self.attributes.items()},
        )


def encode_labels(found: FaceSource, attributes: tuple[str, ...], positive: str | None) -> Labels:
    """Return the labels of all images of a source as numbers.

    `positive` is the value of the first of `attributes` that becomes 1. Raises DataError where one of `attributes` is
    missing or has unreadable values.
    """
    missing = next((name for name in attributes if name not in found.columns), None)
    if missing is not None:
        names = [*found.columns]
        more = f" and {len(names) - _SHOWN_ATTRIBUTES} more" if len(names) > _SHOWN_ATTRIBUTES else ""
        shown = ", ".join(names[:_SHOWN_ATTRIBUTES]) or "none"
        raise DataError(f"{found.title} has no attribute '{missing}': its attributes are {shown}{more}")
    people = found.identities
    present = sorted(people.present(), key=lambda category: people.categories[category])
    number_of = np.zeros(len(people.categories), dtype=np.int32)
    number_of[present] = np.arange(len(present))
    parsed = parse_attributes(found.columns, found.places, attributes, positive)
    return Labels(number_of[people.codes], [people.categories[category] for category in present], parsed)
