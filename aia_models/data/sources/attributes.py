"""Parsing of attribute values in their common spellings into 1, 0 and -1 (unknown)."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Int8

from aia_models.data.faces import UNKNOWN
from aia_models.data.sources.categorical import Categorical
from aia_models.errors import DataError

_VOCABULARIES: tuple[Mapping[str, int], ...] = (
    {"1": 1, "0": 0},
    {"1": 1, "-1": 0},
    {"male": 1, "m": 1, "female": 0, "f": 0},
)
_WRITTEN = "1/0, 1/-1, male/female, m/f or empty"


def parse_attribute(
    name: str, column: Categorical, places: Callable[[int], str], positive: str | None
) -> Int8[np.ndarray, " face"]:
    """Parse the column `name` into int8 `[N]`; case and surrounding spaces do not matter, empty is unknown.

    With `positive`, that value becomes 1 and every other 0. `places(row)` names file and line of a row, for messages.
    Raises DataError for an unreadable value, for a column that mixes two spellings, and for a `positive` that never
    occurs.
    """
    folded = [text.strip().casefold() for text in column.categories]
    there = {folded[category] for category in column.present()} - {""}
    if positive is not None:
        wanted = positive.strip().casefold()
        if wanted not in there:
            raise DataError(f"no value of '{name}' is positive = '{positive}': there are {_some(there)}")
        return _encode(column, folded, {value: int(value == wanted) for value in there})
    unreadable = there - {value for vocabulary in _VOCABULARIES for value in vocabulary}
    if unreadable:
        row = int(np.flatnonzero(np.array([text in unreadable for text in folded])[column.codes])[0])
        raise DataError(
            f"{places(row)}: '{name}' is '{column[row].strip()}', expected {_WRITTEN}; "
            f'for other values say positive = "..."'
        )
    for vocabulary in _VOCABULARIES:
        if there <= vocabulary.keys():
            return _encode(column, folded, vocabulary)
    raise DataError(f"'{name}' mixes {_some(there)}: write one of {_WRITTEN}, or say positive = \"...\"")


def parse_attributes(
    columns: Mapping[str, Categorical],
    places: Callable[[int], str],
    attributes: tuple[str, ...],
    positive: str | None,
) -> dict[str, Int8[np.ndarray, " face"]]:
    """Parse all columns, name -> int8 `[N]`; `positive` is the value of the first of `attributes` that becomes 1.

    Raises DataError where one of `attributes` cannot be parsed; other columns that cannot be parsed are left out.
    """
    first = attributes[0]
    parsed = {
        name: parse_attribute(name, columns[name], places, positive if name == first else None)
        for name in attributes
    }
    for name in columns.keys() - parsed.keys():
        try:
            parsed[name] = parse_attribute(name, columns[name], places, positive=None)
        except DataError:
            # A column that is no private attribute may hold anything, such as an age or a remark.
            continue
    return {name: parsed[name] for name in columns if name in parsed}


def _encode(
    column: Categorical, folded: Sequence[str], values: Mapping[str, int]
) -> Int8[np.ndarray, " face"]:
    # Categories that do not occur may lack a value: no code names them.
    value_of = np.array([values.get(text, UNKNOWN) for text in folded], dtype=np.int8)
    return value_of[column.codes]


def _some(values: set[str], most: int = 5) -> str:
    shown = ", ".join(f"'{value}'" for value in sorted(values)[:most]) or "none"
    return f"{shown} and {len(values) - most} more" if len(values) > most else shown
