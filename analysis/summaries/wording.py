"""Writes figures and hyperparameters of a `trials` row as text for people."""

import math
from collections.abc import Mapping
from typing import Any

from analysis.tables.beside import CERTIFIED_AUC


def figure_text(row: Mapping[str, Any], column: str) -> str:
    """Return the figure in `column` of a `trials` row with three decimals, for example "0.612 [0.590, 0.633]".

    The brackets hold the columns `…_low` and `…_high`, if there are any. "-" if the figure is missing or not finite.
    """
    value, low, high = (row.get(f"{column}{end}") for end in ("", "_low", "_high"))
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def certificate_text(row: Mapping[str, Any]) -> str:
    """Return the certified AUC of a `trials` row and what it rests on; "-" without a certificate.

    For example "0.712 (hoeffding, 16 words, 120 people)".
    """
    if row[CERTIFIED_AUC] is None:
        return "-"
    basis = (
        f"{row['certificate_method']}, {row['certificate_words']} words, {row['certificate_people']} people"
    )
    return f"{row[CERTIFIED_AUC]:.3f} ({basis})"


def value_text(value: object) -> str:
    """Return a hyperparameter's value: numbers with three significant digits, everything else in lower case."""
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower()
