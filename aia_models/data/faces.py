"""Labelled faces, in memory or in a memory-mapped file: what training and judging take as data."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int8

from aia_models.data.input_rows import InputRows
from aia_models.errors import DataError

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """Grey face images, or templates that a face network made of some, with the identity and attributes of each.

    `inputs` is uint8 `[N, 1, H, W]` of images or float32 `[N, d]` of templates, possibly a memory map or rows of one.
    `identity` is int32 `[N]`, indices into `identity_names`. `attributes` maps name -> int8 `[N]` of 1, 0 and -1
    (unknown). `fingerprint` is a sha256 in hex over contents and preparation. Raises DataError when shapes or types do
    not fit together.
    """

    inputs: np.ndarray | InputRows
    identity: np.ndarray
    identity_names: tuple[str, ...]
    attributes: Mapping[str, np.ndarray]
    fingerprint: str

    def __post_init__(self) -> None:
        dtype, shape = self.inputs.dtype, self.inputs.shape
        are_images = dtype == np.uint8 and len(shape) == 4 and shape[1] == 1
        if not are_images and not (dtype == np.float32 and len(shape) == 2):
            needed = "uint8 [N, 1, H, W] of images or float32 [N, d] of templates is needed"
            raise DataError(f"inputs are {dtype} {shape}: {needed}")
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
        return self.inputs.shape[0]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one image, `(1, side, side)`, or of one template, `(d,)`."""
        return self.inputs.shape[1:]

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
        """Return the chosen faces (a bool mask `[N]` or indices) as a data set of its own.

        Inputs are not copied: they are read from this data set's array on each access. Identities are renumbered in
        their old order, so that `identity_names` holds exactly the identities present.
        """
        rows = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else np.asarray(chosen, dtype=np.int64)
        present, identity = np.unique(self.identity[rows], return_inverse=True)
        digest = hashlib.sha256(self.fingerprint.encode() + rows.astype("<i8").tobytes())
        return FaceDataset(
            inputs=InputRows.of(self.inputs, rows),
            identity=identity.astype(np.int32),
            identity_names=tuple(self.identity_names[i] for i in present),
            attributes={name: values[rows] for name, values in self.attributes.items()},
            fingerprint=digest.hexdigest(),
        )
