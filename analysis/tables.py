"""A study's four result tables, read lazily from its directory."""

import glob
import tomllib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis.errors import AnalysisError
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


def open_study(directory: str | Path) -> StudyTables:
    """Return the tables of the study in a local directory or under a URI, read when they are collected.

    Raises AnalysisError where there is no study or none of its trials has finished yet.
    """
    where = str(directory)
    if "://" not in where and not Path(where, "study.toml").is_file():
        raise AnalysisError(f"{where}: no study.toml in it; expected the directory of a launched study")
    tables = StudyTables(
        where,
        _objectives(where),
        *(_scan(where, name) for name in ("trials", "epochs", "attacks", "matches")),
    )
    if _collect(tables.trials.select(pl.len()), where).item() == 0:
        raise AnalysisError(f"{where}: no trial has finished yet; expected rows in results/trials/*.parquet")
    return tables


def read_trials(study: StudyTables) -> pl.DataFrame:
    """Return the whole `trials` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.trials, study.directory)


def _objectives(directory: str) -> tuple[Objective, ...]:
    spec = Path(directory, "study.toml")
    content = tomllib.loads(spec.read_text("utf-8")) if spec.is_file() else {}
    attribute = content.get("attribute")
    count = len(attribute) if isinstance(attribute, list) else 1
    return search_objectives(content.get("objectives", "maximum"), count)


def read_attacks(study: StudyTables) -> pl.DataFrame:
    """Return the whole `attacks` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.attacks, study.directory)


def read_matches(study: StudyTables) -> pl.DataFrame:
    """Return the whole `matches` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.matches, study.directory)


def read_epochs(study: StudyTables) -> pl.DataFrame:
    """Return the whole `epochs` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.epochs, study.directory)


def _scan(directory: str, table: str) -> pl.LazyFrame:
    """The given schema makes a table without parts an empty one, and columns of older parts null."""
    schema = pl.DataFrame(SCHEMAS[table].empty_table()).schema
    root = directory.rstrip("/") if "://" in directory else glob.escape(directory)
    return pl.scan_parquet(
        f"{root}/results/{table}/*.parquet", schema=schema, missing_columns="insert", extra_columns="ignore"
    )


def _collect(frame: pl.LazyFrame, directory: str) -> pl.DataFrame:
    try:
        return frame.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise AnalysisError(
            f"{directory}: its results cannot be read ({reason}); expected Parquet"
        ) from error
