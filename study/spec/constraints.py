"""Constraints on the designs of a search: `NAME OP NUMBER`, such as `matching_auc_validation >= 0.7`."""

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
# These figures are null in most trials, and a trial without them would tell the search nothing.
_RARELY_JUDGED = ("attacker_auc_10_releases_validation", "other_attacker_auc_validation")


@dataclass(frozen=True)
class Constraint:
    """A limit on `name`, which is a validation figure of the `trials` table or a numeric hyperparameter."""

    name: str
    operator: str
    limit: float

    @property
    def text(self) -> str:
        """The constraint in its normal form, which is the same for all ways to write it."""
        return f"{self.name} {self.operator} {self.limit!r}"

    def violation(self, value: float) -> float:
        """Return how far `value` lies beyond the limit: a violation is above 0, a satisfied limit gives at most 0."""
        beyond = value - self.limit if self.operator.startswith("<") else self.limit - value
        # Under a strict operator the limit itself is a violation, by the smallest positive number.
        return sys.float_info.min if beyond == 0 and len(self.operator) == 1 else beyond


def violations(
    constraints: tuple[Constraint, ...], values: Mapping[str, Any], figures: Mapping[str, Any]
) -> dict[str, float | None]:
    """Return the violation of each constraint, by its text, for a design's `values` and its trial's `figures`.

    A constraint on a hyperparameter that is not in effect has the violation 0. The violation is None if the figure is
    missing or not finite.
    """
    by_text: dict[str, float | None] = {}
    for constraint in constraints:
        if constraint.name in values:
            by_text[constraint.text] = constraint.violation(values[constraint.name])
        elif _VALIDATION not in constraint.name:
            by_text[constraint.text] = 0.0
        else:
            figure = figures.get(constraint.name)
            if figure is None or not math.isfinite(figure):
                by_text[constraint.text] = None
            else:
                by_text[constraint.text] = constraint.violation(figure)
    return by_text


def total_violation(
    constraints: tuple[Constraint, ...], values: Mapping[str, Any], figures: Mapping[str, Any]
) -> float | None:
    """Return the sum of the violations of all constraints, 0.0 if there are none, None if a figure is missing."""
    total = 0.0
    for violation in violations(constraints, values, figures).values():
        if violation is None:
            return None
        total += max(violation, 0.0)
    return total


def row_violation(constraints: tuple[Constraint, ...], row: Mapping[str, Any]) -> float | None:
    """Return the `total_violation` of a row of `trials`, or of any mapping with its hyperparameters and figures."""
    values = {name: row[name] for name in HYPERPARAMETERS if row.get(name) is not None}
    return total_violation(constraints, values, row)


def parse(text: str) -> Constraint:
    """Return the constraint that `text` states; raises SpecError if the text is not `NAME OP NUMBER`."""
    form = _FORM.fullmatch(text)
    number = _number(form[3]) if form else None
    if form is None or number is None:
        raise SpecError(
            f"constraint {text!r} is wrong: needs NAME OP NUMBER, OP one of <=, >=, <, >, as in"
            " 'matching_auc_validation >= 0.7'"
        )
    return Constraint(form[1], form[2], number)


def check_name(constraint: Constraint, space: Space, attributes: int) -> None:
    """Raise SpecError if a constraint names neither a figure that every judged trial has nor a searched number.

    Figures are those on validation of a study with as many private `attributes`; a searched number is a numeric
    hyperparameter that `space` varies.
    """
    name = constraint.name
    numeric = [n for n, domain in space.parameters.items() if domain.value_type in (int, float)]
    figures = _validation_figures(attributes)
    if name in numeric or name in figures:
        return
    where = f"constraint {constraint.text!r}"
    if "_test" in name:
        validation = name.replace("_test", "_validation")
        counterpart = f": {validation}" if validation in figures else ""
        raise SpecError(
            f"{where}: figures on test guide no search; needs a figure on validation{counterpart}"
        )
    if name in space.parameters:
        raise SpecError(f"{where}: {name} is no number; needs one of {', '.join(numeric)}, or fix {name}")
    close = get_close_matches(name, [*figures, *numeric], n=1)
    hint = (
        f"did you mean {close[0]!r}?" if close else f"needs a figure on validation, or {', '.join(numeric)}"
    )
    raise SpecError(f"{where}: there is no such figure, and space {space.name} varies no {name!r}: {hint}")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _validation_figures(attributes: int) -> list[str]:
    # Importing pyarrow takes long, and few specs have constraints.
    from analysis.tables.schema import TRIALS_SCHEMA

    names = [field.name for field in TRIALS_SCHEMA if str(field.type) in ("double", "int64")]
    figures = [name for name in names if _VALIDATION in name and name not in _RARELY_JUDGED]
    return [n for n in figures if not (match := _ATTRIBUTE.fullmatch(n)) or int(match[1]) <= attributes]
