"""Selected images of an array, not copied: trials on one node share a memory map."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt8

Images = UInt8[np.ndarray, "n 1 side side"]


@dataclass(frozen=True, eq=False)
class ImageRows:
    """The images at `rows` of `whole`, read on each access.

    `whole` is one memory map in all processes of a node, so its pages are in memory once, whereas copies would be there
    once per trial. Indexing returns arrays; `np.asarray` copies all the selected images.
    """

    whole: UInt8[np.ndarray, "whole 1 side side"]
    rows: Int64[np.ndarray, " n"]

    @classmethod
    def of(cls, images: "Images | ImageRows", rows: Int64[np.ndarray, " row"]) -> "ImageRows":
        """Select the images at `rows` of an array or of another selection."""
        if isinstance(images, ImageRows):
            return cls(images.whole, images.rows[rows])
        return cls(images, rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape `(N, 1, side, side)` of the selected images."""
        return (len(self), *self.whole.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """Type of the pixels."""
        return self.whole.dtype

    def __getitem__(self, index: int | slice | Int64[np.ndarray, " row"]) -> UInt8[np.ndarray, "..."]:
        return np.asarray(self.whole[self.rows[index]])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self.whole[self.rows].astype(dtype or self.dtype, copy=False)
