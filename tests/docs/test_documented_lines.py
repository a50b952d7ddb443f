"""The lines of docs/tables.md that open a study's tables run as they are written there."""

import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow.parquet
import pytest

from analysis.tables.reader import TABLES
from analysis.tables.schema import SCHEMAS
from study.lifecycle.example_study import example_directory

DOC = Path(__file__).parents[2] / "docs" / "tables.md"
STUDY = "studies/quick-1"
EXPECTED = ("DuckDB", "pandas", "Polars", "PyArrow")


def documented() -> dict[str, str]:
    """Return the line of code of each tool, by the tool's name in the comment above the line."""
    blocks = re.findall(r"```\w+\n(?:--|#) (.+)\n(.+)\n```", DOC.read_text("utf-8"))
    return dict(blocks)


def opened(tool: str, line: str) -> Any:
    """Return the value of the line."""
    if tool == "DuckDB":
        return duckdb.sql(line).df()
    return eval(line, {"pandas": pandas, "polars": polars, "pyarrow": pyarrow})


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a storage with a study of the documented name; each of its tables has two parts."""
    here = tmp_path_factory.mktemp("here")
    shutil.copytree(example_directory(), here / STUDY)
    for table in TABLES:
        (part,) = (here / STUDY / "results" / table).glob("*.parquet")
        rows = pyarrow.parquet.read_table(part)
        pyarrow.parquet.write_table(rows[:2], part)
        pyarrow.parquet.write_table(rows[2:], part.with_name("part-000002.parquet"))
    return here


def test_there_is_one_line_for_each_tool():
    assert tuple(documented()) == EXPECTED


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("tool", ["DuckDB", "pandas", "Polars"])
def test_each_line_opens_each_table(storage, monkeypatch, tool, table):
    monkeypatch.chdir(storage)
    rows = opened(tool, documented()[tool].replace("results/trials", f"results/{table}"))
    parts = (storage / STUDY / "results" / table).glob("*.parquet")
    count = sum(pyarrow.parquet.read_metadata(part).num_rows for part in parts)
    assert (len(rows), list(rows.columns)) == (count, SCHEMAS[table].names)


def test_the_documented_column_says_what_it_means(storage, monkeypatch):
    monkeypatch.chdir(storage)
    assert b"Eq. 8" in opened("PyArrow", documented()["PyArrow"])[b"about"]
