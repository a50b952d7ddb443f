"""Labelled grey face images, in memory or in a memory-mapped file: what training and judging take as data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int8

from aia_models.data.image_rows import ImageRows
from aia_models.errors import DataError

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """Face images with the identity and the binary attributes of each.

    `images` is uint8 `[N, 1, H, W]`, possibly a memory map or some rows of one. `identity` is int32 `[N]`, indices into
    `identity_names`. `attributes` maps name -> int8 `[N]` of 1, 0 and -1 (unknown). `fingerprint` is a sha256 in hex
    over contents and preparation. Raises DataError when shapes or types do not fit together.
    """

    images: np.ndarray | ImageRows
    identity: np.ndarray
    identity_names: tuple[str, ...]
    attributes: Mapping[str, np.ndarray]
    fingerprint: str

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or len(self.images.shape) != 4 or self.images.shape[1] != 1:
            raise DataError(
                f"images are {self.images.dtype} {self.images.shape}: uint8 [N, 1, H, W] is needed"
            )
        if self.identity.dtype != np.int32 or self.identity.shape != (len(self),):
            raise DataError(
                f"identity is {self.identity.dtype} {self.identity.shape}: int32 [{len(self)}] is needed"
            )
        for name, values in self.attributes.items():
            if values.dtype != np.int8 or values.shape != (len(self),):
                raise DataError(
                    f"attribute '{name}' is {values.dtype} {values.shape}: int8 [{len(self)}] is needed"
                )

    def __len__(self) -> int:
        return self.images.shape[0]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image, `(1, side, side)`."""
        return self.images.shape[1:]

    def attribute(self, name: str) -> Int8[np.ndarray, " face"]:
        """Return one attribute as int8 `[N]`; raises DataError that lists the existing attributes."""
        if name not in self.attributes:
            existing = ", ".join(self.attributes) or "none"
            raise DataError(f"the data has no attribute '{name}': it has {existing}")
        return self.attributes[name]

    def attribute_columns(self, names: tuple[str, ...]) -> Int8[np.ndarray, "face attribute"]:
        """Return several attributes as int8 `[N, attributes]`; raises DataError as `attribute` does."""
        return np.stack([self.attribute(name) for name in names], axis=1)

    def subset(self, chosen: Bool[np.ndarray, " face"] | Int[np.ndarray, " chosen"]) -> "FaceDataset":
        """Return the chosen images (a bool mask `[N]` or indices) as a data set of its own.

        Images are not copied: they are read from this data set's array on each access. Identities are renumbered in
        their old order, so that `identity_names` holds exactly the identities present.
        """
        rows = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else np.asarray(chosen, dtype=np.int64)
        present, identity = np.unique(self.identity[rows], return_inverse=True)
        digest = hashlib.sha256(self.fingerprint.encode() + rows.astype("<i8").tobytes())
        return FaceDataset(
            images=ImageRows.of(self.images, rows),
            identity=identity.astype(np.int32),
            identity_names=tuple(self.identity_names[i] for i in present),
            attributes={name: values[rows] for name, values in self.attributes.items()},
            fingerprint=digest.hexdigest(),
        )
