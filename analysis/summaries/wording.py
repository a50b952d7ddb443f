"""How figures and hyperparameters of a `trials` row are written for people."""

import math
from collections.abc import Mapping
from typing import Any


def figure_text(row: Mapping[str, Any], column: str) -> str:
    """A figure with its interval where it has one; "-" where the figure is null or no column."""
    value, low, high = (row.get(f"{column}{end}") for end in ("", "_low", "_high"))
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def value_text(value: object) -> str:
    """A hyperparameter's value."""
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower()
