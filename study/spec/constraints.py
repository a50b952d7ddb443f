"""What a design has to satisfy beside the objectives: `NAME OP NUMBER`, as in `matching_auc_validation >= 0.7`."""

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from search_spaces.hyperparameters import HYPERPARAMETERS
from search_spaces.spaces import Space
from study.errors import SpecError

_FORM = re.compile(r"\s*([A-Za-z0-9_]+)\s*(<=|>=|<|>)\s*(\S+)\s*")
_VALIDATION = "_validation"
_ATTRIBUTE = re.compile(r"attacker_auc_attribute_(\d+)_validation")
# Null in most trials: a trial without the figure would say nothing to the search.
_RARELY_JUDGED = "attacker_auc_10_releases_validation"


@dataclass(frozen=True)
class Constraint:
    """`name` is a validation figure of the `trials` table or a numeric hyperparameter."""

    name: str
    operator: str
    limit: float

    @property
    def text(self) -> str:
        """The constraint as one writes it, in one form."""
        return f"{self.name} {self.operator} {self.limit!r}"

    def violation(self, value: float) -> float:
        """How far `value` lies beyond the limit: above 0 where it violates, at most 0 where it does not."""
        beyond = value - self.limit if self.operator.startswith("<") else self.limit - value
        # A strict limit itself violates, by the smallest number there is.
        return sys.float_info.min if beyond == 0 and len(self.operator) == 1 else beyond


def violations(
    constraints: tuple[Constraint, ...], values: Mapping[str, Any], figures: Mapping[str, Any]
) -> dict[str, float | None]:
    """Each constraint's violation under a design's `values` and its trial's `figures`, by its text.

    A hyperparameter that is not in effect violates nothing; a figure that is missing or not finite gives None.
    """
    found: dict[str, float | None] = {}
    for constraint in constraints:
        if constraint.name in values:
            found[constraint.text] = constraint.violation(values[constraint.name])
        elif _VALIDATION not in constraint.name:
            found[constraint.text] = 0.0
        else:
            figure = figures.get(constraint.name)
            if figure is None or not math.isfinite(figure):
                found[constraint.text] = None
            else:
                found[constraint.text] = constraint.violation(figure)
    return found


def total_violation(
    constraints: tuple[Constraint, ...], values: Mapping[str, Any], figures: Mapping[str, Any]
) -> float | None:
    """How far a design and its figures violate all of them: 0.0 where they violate none, None where a figure that
    is needed is missing."""
    total = 0.0
    for violation in violations(constraints, values, figures).values():
        if violation is None:
            return None
        total += max(violation, 0.0)
    return total


def row_violation(constraints: tuple[Constraint, ...], row: Mapping[str, Any]) -> float | None:
    """`total_violation` of a `trials` row, or of any that holds its hyperparameters and figures."""
    values = {name: row[name] for name in HYPERPARAMETERS if row.get(name) is not None}
    return total_violation(constraints, values, row)


def parse(text: str) -> Constraint:
    """The constraint that `text` states; SpecError where it is none."""
    form = _FORM.fullmatch(text)
    number = _number(form[3]) if form else None
    if form is None or number is None:
        raise SpecError(
            f"constraint {text!r} is wrong: needs NAME OP NUMBER, OP one of <=, >=, <, >, as in"
            " 'matching_auc_validation >= 0.7'"
        )
    return Constraint(form[1], form[2], number)


def check_name(constraint: Constraint, space: Space, attributes: int) -> None:
    """SpecError unless the name is a figure on validation that every judged trial has, or a numeric hyperparameter
    that `space` varies."""
    name, numeric = constraint.name, [n for n, d in space.parameters.items() if d.value_type in (int, float)]
    figures = _validation_figures(attributes)
    if name in numeric or name in figures:
        return
    where = f"constraint {constraint.text!r}"
    if "_test" in name:
        validation = name.replace("_test", "_validation")
        meant = f": {validation}" if validation in figures else ""
        raise SpecError(f"{where}: test chooses nothing, needs a figure on validation{meant}")
    if name in space.parameters:
        raise SpecError(f"{where}: {name} is no number, needs one of {', '.join(numeric)}; fix it instead")
    close = get_close_matches(name, [*figures, *numeric], n=1)
    hint = (
        f"did you mean {close[0]!r}?" if close else f"needs a figure on validation, or {', '.join(numeric)}"
    )
    raise SpecError(f"{where}: the search has no figure and space {space.name} varies no {name!r}: {hint}")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _validation_figures(attributes: int) -> list[str]:
    from analysis.tables.schema import (
        TRIALS_SCHEMA,  # pyarrow takes long to import, and few specs have constraints
    )

    names = [field.name for field in TRIALS_SCHEMA if str(field.type) in ("double", "int64")]
    figures = [name for name in names if _VALIDATION in name and name != _RARELY_JUDGED]
    return [n for n in figures if not (of := _ATTRIBUTE.fullmatch(n)) or int(of[1]) <= attributes]
