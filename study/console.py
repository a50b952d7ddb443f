"""What the commands print: tables for people, JSON or CSV for programs, errors as one line."""

import json
import sys
from enum import StrEnum

import polars as pl
from rich.console import Console
from rich.table import Table

# Without markup: what is printed holds paths and shapes in square brackets.
stdout = Console(highlight=False, markup=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

INTERRUPTED = 130  # exit status after Ctrl-C
WIDEST = 1000  # a table takes what it needs: a narrow terminal wraps its lines, nothing is cut off


class Format(StrEnum):
    """How `front`, `select` and `status` print."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class PictureKind(StrEnum):
    """What `plot` draws: the names of `analysis.pictures.PICTURES`, which takes seconds to import."""

    FRONTIER = "frontier"
    ATTAINMENT = "attainment"
    HISTORY = "history"
    RUNGS = "rungs"
    ATTACKS = "attacks"
    MAP = "map"
    COORDINATES = "coordinates"
    OPTIMISM = "optimism"
    PROBABILITY = "probability"
    IMPORTANCE = "importance"
    COSTS = "costs"


class ModelFormat(StrEnum):
    """What `export` writes."""

    ONNX = "onnx"
    TORCH = "torch"


def print_rows(frame: pl.DataFrame, form: Format) -> None:
    """`frame` for programs: a JSON list of rows, or CSV."""
    if form is Format.JSON:
        sys.stdout.write(json.dumps(frame.to_dicts(), indent=2) + "\n")
    else:
        sys.stdout.write(frame.write_csv())


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """A plain table for people."""
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    for name in header:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=WIDEST, highlight=False).print(table)


def print_error(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"aia-study: {' '.join(message.split())}\n")
