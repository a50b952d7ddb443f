"""A column of texts with few different values, stored as categories and codes."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

import numpy as np
from jaxtyping import Int, Int32


@dataclass(frozen=True, eq=False)
class Categorical:
    """A column of `N` texts: `codes` is int32 `[N]`, indices into `categories`, which may hold unused texts."""

    categories: tuple[str, ...]
    codes: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Categorical":
        """Build the column of these texts."""
        numbering = Numbering()
        codes = np.fromiter(map(numbering.__getitem__, texts), dtype=np.int32)
        return cls(tuple(numbering), codes)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str:
        return self.categories[self.codes[row]]

    def taken(self, rows: Int[np.ndarray, " chosen"]) -> "Categorical":
        """Return the texts of the given rows, in their order."""
        return Categorical(self.categories, self.codes[rows])

    def present(self) -> Int32[np.ndarray, " category"]:
        """Return the indices of the categories that occur, ascending."""
        return np.flatnonzero(np.bincount(self.codes, minlength=len(self.categories))).astype(np.int32)


class Numbering(dict[str, int]):
    """Maps text -> number, assigned from 0 in the order in which texts are first looked up."""

    def __init__(self) -> None:
        super().__init__()
        self._next = count()

    def __missing__(self, text: str) -> int:
        number = self[text] = next(self._next)
        return number
