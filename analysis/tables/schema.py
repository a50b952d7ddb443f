"""Defines the Arrow schemas of a study's tables, which are derived from the row types, and checks rows against them.

Every reader relies on these schemas: a change needs a new `SCHEMA_VERSION`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from math import isfinite
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa

from analysis.tables.rows import AttackRow, EpochRow, ImportanceRow, MatchRow, ResampleRow
from analysis.tables.trial_row import TrialFigures, TrialIdentity
from search_spaces.domains import When
from search_spaces.hyperparameters import HYPERPARAMETERS

SCHEMA_VERSION = 7
SCHEMA_KEY = b"aia_study_schema_version"  # in the metadata of a table's schema

EXAMPLES = "examples.png"  # in a checkpoint's folder: a picture of faces above their reconstructions
# The target "being on the Pareto front" in `importance.parquet`; others are objectives.
IMPORTANCE_FRONT = "front"
MIN_IMPORTANCE_TRIALS = 10  # complete search trials: fewer allow no statement about importance

_ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
_PYTHON_TYPES = {arrow: python for python, arrow in _ARROW_TYPES.items()}

# Column name -> Python type, whether the value may be null, the allowed strings (empty: every string is).
Rules = dict[str, tuple[type, bool, tuple[str, ...]]]


def columns_of(row_type: type) -> Iterator[pa.Field]:
    """Yield one Arrow field for each field of a row's dataclass, in order.

    A field's type is `Annotated[type, "meaning"]`. A column may be null where `type` allows None; a column whose type
    is a Literal of strings may hold only these strings. Both the meaning and the allowed strings are stored in the
    Arrow field's metadata.
    """
    hints = get_type_hints(row_type, include_extras=True)
    for field in fields(row_type):
        hint, about = get_args(hints[field.name])
        nullable = NoneType in get_args(hint)
        if nullable:
            (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
        among = get_args(hint) if get_origin(hint) is Literal else ()
        yield _column(field.name, str if among else hint, about, nullable=nullable, among=among)


def _column(name: str, kind: type, about: str, *, nullable: bool, among: tuple[str, ...] = ()) -> pa.Field:
    metadata = {"about": about} | ({"among": ",".join(among)} if among else {})
    return pa.field(name, _ARROW_TYPES[kind], nullable=nullable, metadata=metadata)


def _hyperparameter_columns() -> Iterator[pa.Field]:
    for name, domain in HYPERPARAMETERS.items():
        yield _column(name, domain.value_type, domain.about + _condition(domain.when), nullable=True)


def _condition(when: When | None) -> str:
    return f" Null unless {when.parameter} is {' or '.join(map(str, when.values))}." if when else ""


def _schema(about: str, *columns: pa.Field) -> pa.Schema:
    return pa.schema(columns, metadata={SCHEMA_KEY: str(SCHEMA_VERSION), "about": about})


TRIALS_SCHEMA = _schema(
    "One row per trial, written when the trial is final and after its rows in the other tables.",
    *columns_of(TrialIdentity),
    *_hyperparameter_columns(),
    *columns_of(TrialFigures),
)
EPOCHS_SCHEMA = _schema("One row per trial and epoch.", *columns_of(EpochRow))
ATTACKS_SCHEMA = _schema(
    "One row per trial, split, attribute, attacker, vantage, training size and what it reads.",
    *columns_of(AttackRow),
)
MATCHES_SCHEMA = _schema(
    "One row per trial, split, matcher and kind of negatives.",
    *columns_of(MatchRow),
)

# The store writes the parts of a segment in this order: a trial counts as recorded once its `trials` row exists.
SCHEMAS: Mapping[str, pa.Schema] = {
    "epochs": EPOCHS_SCHEMA,
    "attacks": ATTACKS_SCHEMA,
    "matches": MATCHES_SCHEMA,
    "trials": TRIALS_SCHEMA,
}

# The files of these two schemas are no parts of a table: each trial has one file of resamples, which is written before
# the trial's rows, and each search has one file of importance.
RESAMPLES_SCHEMA = _schema(
    "One row per trial, split, figure and resample of the split's people; the same resamples for every trial.",
    *columns_of(ResampleRow),
)
IMPORTANCE_SCHEMA = _schema(
    "One row per target and hyperparameter of a search: how much it matters, over the whole space.",
    *columns_of(ImportanceRow),
)


def schema_version(metadata: Mapping[bytes, bytes] | None) -> str:
    """Return the version of the tables in a Parquet file's metadata; "unknown" where another tool wrote the file."""
    return (metadata or {}).get(SCHEMA_KEY, b"unknown").decode()


def checked(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> list[dict[str, Any]]:
    """Return the rows with every column of `schema`: absent columns are None, numpy scalars become Python scalars.

    Raises ValueError for an unknown column, a missing required column, a wrong type, a string that the column does not
    allow, NaN and inf.
    """
    rules = _rules(schema)
    return [_checked_row(row, rules) for row in rows]


def to_table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return the rows as a table of exactly `schema`; raises ValueError as `checked` does."""
    return pa.Table.from_pylist(checked(rows, schema), schema=schema)


def _checked_row(row: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    unknown = row.keys() - rules.keys()
    if unknown:
        raise ValueError(f"a row may not hold {', '.join(sorted(unknown))}: the table has no such column")
    return {name: _checked_value(name, row.get(name), *rule) for name, rule in rules.items()}


@lru_cache
def _rules(schema: pa.Schema) -> Rules:
    rules: Rules = {}
    for field in schema:
        among = field.metadata.get(b"among", b"").decode()
        rules[field.name] = (
            _PYTHON_TYPES[field.type],
            field.nullable,
            tuple(among.split(",")) if among else (),
        )
    return rules


def _checked_value(name: str, value: Any, kind: type, nullable: bool, among: tuple[str, ...]) -> Any:
    if value is None:
        if not nullable:
            raise ValueError(f"{name} is missing: each row needs it")
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if kind is float and type(value) is int:
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} = {value!r} is no {kind.__name__}")
    if kind is float and not isfinite(value):
        raise ValueError(f"{name} = {value!r}: a row holds finite numbers or null")
    if among and value not in among:
        raise ValueError(f"{name} = {value!r} is none of {', '.join(among)}")
    return kind(value)
