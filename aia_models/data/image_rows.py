"""Some images of an array, not copied."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt8

Images = UInt8[np.ndarray, "n 1 side side"]


@dataclass(frozen=True, eq=False)
class ImageRows:
    """The images at `rows` of `whole`, read from it whenever they are asked for.

    `whole` is one memory map in all processes of a node: its pages are in memory once, where copies would be there once
    for each trial. Indexed it gives arrays; `np.asarray` copies all of it.
    """

    whole: UInt8[np.ndarray, "whole 1 side side"]
    rows: Int64[np.ndarray, " n"]

    @classmethod
    def of(cls, images: "Images | ImageRows", rows: Int64[np.ndarray, " row"]) -> "ImageRows":
        """The images at `rows` of an array, or of some of one."""
        if isinstance(images, ImageRows):
            return cls(images.whole, images.rows[rows])
        return cls(images, rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array's."""
        return (len(self), *self.whole.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """As an array's."""
        return self.whole.dtype

    def __getitem__(self, index: int | slice | Int64[np.ndarray, " row"]) -> UInt8[np.ndarray, "..."]:
        return np.asarray(self.whole[self.rows[index]])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self.whole[self.rows].astype(dtype or self.dtype, copy=False)
