"""What a study optimises: the one place where directions and reference points are declared."""

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Objective:
    """One column of the `trials` table that a search optimises.

    `reference` is the declared worst value: the hypervolume's reference point, never inferred from a run.
    """

    column: str
    title: str
    better: str
    direction: Literal["minimize", "maximize"]
    reference: float

    @property
    def sign(self) -> int:
        """Factor that turns the column into a cost; every kernel minimises."""
        return 1 if self.direction == "minimize" else -1

    @property
    def worst_cost(self) -> float:
        """`reference` as a cost."""
        return self.sign * self.reference


ATTACKER = Objective(
    column="attacker_auc_validation",
    title="strongest fresh attacker, ROC AUC",
    better="lower is more private",
    direction="minimize",
    reference=1.0,
)
MATCHING = Objective(
    column="matching_auc_validation",
    title="face matching, ROC AUC",
    better="higher is more useful",
    direction="maximize",
    reference=0.5,
)
SEARCH_OBJECTIVES: tuple[Objective, ...] = (ATTACKER, MATCHING)
MAX_ATTRIBUTES = 4


def attribute_column(number: int, split: str) -> str:
    """The `trials` column of the strongest attacker of the private attribute named as `number` (1 to 4)."""
    return f"attacker_auc_attribute_{number}_{split}"


def search_objectives(mode: Literal["maximum", "per_attribute"], attributes: int) -> tuple[Objective, ...]:
    """What a search over `attributes` private attributes optimises: the strongest attacker of any of them, or of each
    by itself, and face matching."""
    if mode == "maximum":
        return SEARCH_OBJECTIVES
    each = [
        replace(
            ATTACKER,
            column=attribute_column(number, "validation"),
            title=f"strongest fresh attacker of attribute {number}, ROC AUC",
        )
        for number in range(1, attributes + 1)
    ]
    return (*each, MATCHING)
