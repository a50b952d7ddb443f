"""Declares the objectives that a study can optimise, with their directions and reference points."""

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Objective:
    """One column of the `trials` table that a search optimises.

    `reference` is the worst value, which is declared and never inferred from a run: it is the coordinate of the
    hypervolume's reference point. `title` and `better` are texts for axes and tables.
    """

    column: str
    title: str
    better: str
    direction: Literal["minimize", "maximize"]
    reference: float

    @property
    def sign(self) -> int:
        """1 or -1, the factor that turns the column into a cost: all computations of fronts minimise."""
        return 1 if self.direction == "minimize" else -1

    @property
    def worst_cost(self) -> float:
        """The reference value as a cost."""
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


def attribute_column(number: int, split: str) -> str:
    """Return the `trials` column of the strongest attacker of private attribute `number` (counted from 1)."""
    return f"attacker_auc_attribute_{number}_{split}"


def search_objectives(mode: Literal["maximum", "per_attribute"], attributes: int) -> tuple[Objective, ...]:
    """Return the objectives of a search with `attributes` private attributes.

    They are face matching and the strongest attacker: of any attribute ("maximum"), or of each attribute as an
    objective of its own ("per_attribute").
    """
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
