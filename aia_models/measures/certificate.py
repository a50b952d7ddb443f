"""A bound on what any attacker can reach on released representations."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Certificate:
    """A bound that the folded AUC of no attacker exceeds on people like the `people` that it was computed from.

    `method` is the inequality behind the bound, and `words` counts the different representations that were released.
    """

    bound: float
    method: Literal["weissman", "clopper_pearson"]
    words: int
    people: int
