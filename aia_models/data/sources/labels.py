"""What is known of the images of a source, read and numbered."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from aia_models.data.sources.attributes import parse_attribute, parse_attributes
from aia_models.data.sources.source import FaceSource
from aia_models.errors import DataError

_SHOWN_ATTRIBUTES = 8


@dataclass(frozen=True, eq=False)
class Labels:
    """`identity` int32 `[N]`, indices into `identity_names`; `attributes` name -> int8 `[N]`."""

    identity: np.ndarray
    identity_names: list[str]
    attributes: Mapping[str, np.ndarray]

    def kept(self, rows: Bool[np.ndarray, " face"]) -> "Labels":
        """The labels of some of the images; identities that have none left are gone."""
        there, identity = np.unique(self.identity[rows], return_inverse=True)
        return Labels(
            identity.astype(np.int32),
            [self.identity_names[number] for number in there],
            {name: values[rows] for name, values in self.attributes.items()},
        )


def read_labels(
    found: FaceSource, attribute: str, positive: str | None, further_attributes: tuple[str, ...] = ()
) -> Labels:
    """All labels of a source; DataError where `attribute` or one of `further_attributes`, to which `positive` does not
    apply, is not among them or has values that cannot be read."""
    missing = next((name for name in (attribute, *further_attributes) if name not in found.columns), None)
    if missing is not None:
        names = [*found.columns]
        more = f" and {len(names) - _SHOWN_ATTRIBUTES} more" if len(names) > _SHOWN_ATTRIBUTES else ""
        there = ", ".join(names[:_SHOWN_ATTRIBUTES]) or "none"
        raise DataError(f"{found.title} has no attribute '{missing}': its attributes are {there}{more}")
    people = found.identities
    present = sorted(people.present(), key=lambda category: people.categories[category])
    number_of = np.zeros(len(people.categories), dtype=np.int32)
    number_of[present] = np.arange(len(present))
    attributes = parse_attributes(found.columns, found.places, attribute, positive)
    for name in further_attributes:
        if name not in attributes:
            parse_attribute(name, found.columns[name], found.places, positive=None)
    return Labels(number_of[people.codes], [people.categories[category] for category in present], attributes)
