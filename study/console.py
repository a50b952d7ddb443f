"""Printing of the commands: tables for people, JSON or CSV for programs, errors as one line."""

import json
import sys
from enum import StrEnum

import polars as pl
from rich.console import Console
from rich.table import Table

# Without markup: paths and shapes in the output hold square brackets.
stdout = Console(highlight=False, markup=False, soft_wrap=True)
stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

INTERRUPTED = 130  # exit status after Ctrl-C
WIDEST = 1000  # columns of a table: a narrow terminal wraps its lines, and nothing is cut off


class Format(StrEnum):
    """The output format of `front`, `select` and `status`."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class PictureKind(StrEnum):
    """The pictures that `plot` draws, by their names in `analysis.plots.catalogue`, whose import takes seconds."""

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
    """The file format that `export` writes."""

    ONNX = "onnx"
    TORCH = "torch"


def print_rows(frame: pl.DataFrame, form: Format) -> None:
    """Print `frame` for programs: as a JSON list of rows, or as CSV."""
    if form is Format.JSON:
        sys.stdout.write(json.dumps(frame.to_dicts(), indent=2) + "\n")
    else:
        sys.stdout.write(frame.write_csv())


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Print a plain table for people."""
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    for name in header:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=WIDEST, highlight=False).print(table)


def print_error(message: str) -> None:
    """Print an error as one line on stderr."""
    sys.stderr.write(f"aia-study: {' '.join(message.split())}\n")
