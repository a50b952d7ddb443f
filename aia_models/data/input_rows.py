"""Selected rows of an array of images or templates, not copied: trials on one node share a memory map."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

Inputs = UInt8[np.ndarray, "n 1 side side"] | Float32[np.ndarray, "n d"]


@dataclass(frozen=True, eq=False)
class InputRows:
    """The images or templates at `rows` of `whole`, read on each access.

    `whole` is one memory map in all processes of a node, so its pages are in memory once, whereas copies would be there
    once per trial. Indexing returns arrays; `np.asarray` copies all the selected rows.
    """

    whole: UInt8[np.ndarray, "whole 1 side side"] | Float32[np.ndarray, "whole d"]
    rows: Int64[np.ndarray, " n"]

    @classmethod
    def of(cls, inputs: "Inputs | InputRows", rows: Int64[np.ndarray, " row"]) -> "InputRows":
        """Select the rows `rows` of an array or of another selection."""
        if isinstance(inputs, InputRows):
            return cls(inputs.whole, inputs.rows[rows])
        return cls(inputs, rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the selection, `(N, 1, side, side)` or `(N, d)`."""
        return (len(self), *self.whole.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return self.whole.dtype

    def __getitem__(self, index: int | slice | Int64[np.ndarray, " row"]) -> np.ndarray:
        return np.asarray(self.whole[self.rows[index]])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self.whole[self.rows].astype(dtype or self.dtype, copy=False)
