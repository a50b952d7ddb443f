"""A study's four result tables, read lazily from its directory."""

import glob
import tomllib
from dataclasses import dataclass

import polars as pl
import pyarrow.dataset

from analysis.errors import AnalysisError
from analysis.locations import Location, ObjectPath, location
from study.objectives import Objective, search_objectives
from study.records import SCHEMAS


@dataclass(frozen=True)
class StudyTables:
    """The results of one study as lazy frames; rows come in no particular order. `objectives` are what it searched."""

    directory: str
    objectives: tuple[Objective, ...]
    trials: pl.LazyFrame
    epochs: pl.LazyFrame
    attacks: pl.LazyFrame
    matches: pl.LazyFrame


def open_study(directory: str | Location) -> StudyTables:
    """Return the tables of the study in a local directory or under a URI, read when they are collected.

    Raises AnalysisError where there is no study or none of its trials has finished yet.
    """
    where = str(directory)
    study = location(where)
    try:
        if not (study / "study.toml").is_file():
            raise AnalysisError(f"{where}: no study.toml in it; expected the directory of a launched study")
        tables = StudyTables(
            where,
            _objectives((study / "study.toml").read_text("utf-8")),
            *(_scan(study, name) for name in ("trials", "epochs", "attacks", "matches")),
        )
    except OSError as error:
        raise AnalysisError(f"{where}: cannot be read ({' '.join(str(error).split())})") from error
    if _collect(tables.trials.select(pl.len()), where).item() == 0:
        raise AnalysisError(f"{where}: no trial has finished yet; expected rows in results/trials/*.parquet")
    return tables


def read_trials(study: StudyTables) -> pl.DataFrame:
    """Return the whole `trials` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.trials, study.directory)


def _objectives(spec: str) -> tuple[Objective, ...]:
    content = tomllib.loads(spec)
    attribute = content.get("attribute")
    count = len(attribute) if isinstance(attribute, list) else 1
    return search_objectives(content.get("objectives", "maximum"), count)


def read_matches(study: StudyTables) -> pl.DataFrame:
    """Return the whole `matches` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.matches, study.directory)


def read_epochs(study: StudyTables) -> pl.DataFrame:
    """Return the whole `epochs` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.epochs, study.directory)


def _scan(study: Location, table: str) -> pl.LazyFrame:
    """The given schema makes a table without parts an empty one, and columns of older parts null."""
    schema = pl.DataFrame(SCHEMAS[table].empty_table()).schema
    if isinstance(study, ObjectPath):  # read as it was written: with pyarrow's credentials
        folder = study / "results" / table
        parts = [f"{folder.path}/{name}" for name in folder.children() if name.endswith(".parquet")]
        if not parts:
            return pl.LazyFrame(schema=schema)
        return pl.scan_pyarrow_dataset(
            pyarrow.dataset.dataset(parts, SCHEMAS[table], format="parquet", filesystem=folder.store)
        )
    return pl.scan_parquet(
        f"{glob.escape(str(study))}/results/{table}/*.parquet",
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
    )


def _collect(frame: pl.LazyFrame, directory: str) -> pl.DataFrame:
    try:
        return frame.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise AnalysisError(
            f"{directory}: its results cannot be read ({reason}); expected Parquet"
        ) from error
