"""A study's four result tables, read lazily from its directory."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl
import pyarrow.dataset

from analysis.errors import AnalysisError
from analysis.tables.location import Location, local_copy, location
from analysis.tables.objectives import Objective, search_objectives
from analysis.tables.parts import Damaged, Parts, find_parts, require_some
from analysis.tables.schema import SCHEMAS

TABLES = ("trials", "epochs", "attacks", "matches")


@dataclass(frozen=True)
class StudyTables:
    """The results of one study as lazy frames; rows come in no particular order. `objectives` are what it searched.

    A frame is made when it is asked for: its parts are found and their footers read then. AnalysisError where a newer
    release wrote one, or where none is left.
    """

    directory: str
    objectives: tuple[Objective, ...]
    _found: dict[str, Parts] = field(default_factory=dict, repr=False, compare=False)

    @property
    def location(self) -> Location:
        """Where the study lies."""
        return location(self.directory)

    @cached_property
    def trials(self) -> pl.LazyFrame:
        return self._scan("trials")

    @cached_property
    def epochs(self) -> pl.LazyFrame:
        return self._scan("epochs")

    @cached_property
    def attacks(self) -> pl.LazyFrame:
        return self._scan("attacks")

    @cached_property
    def matches(self) -> pl.LazyFrame:
        return self._scan("matches")

    def damaged(self, *tables: str) -> tuple[Damaged, ...]:
        """The parts of those tables, by default of all, that are no whole Parquet files: the frames do without them."""
        return tuple(part for table in tables or TABLES for part in self._parts(table).damaged)

    def _parts(self, table: str) -> Parts:
        if table not in self._found:
            self._found[table] = find_parts(self.location, table)
        return self._found[table]

    def _scan(self, table: str) -> pl.LazyFrame:
        """The given schema makes a table without parts an empty one, and columns of older parts null."""
        schema = pl.DataFrame(SCHEMAS[table].empty_table()).schema
        parts = self._parts(table)
        require_some(parts, self.directory, table)
        whole = list(parts.whole)
        if not whole:
            return pl.LazyFrame(schema=schema)
        if parts.store is not None:  # read as it was written: with pyarrow's credentials
            return pl.scan_pyarrow_dataset(
                pyarrow.dataset.dataset(whole, SCHEMAS[table], format="parquet", filesystem=parts.store)
            )
        return pl.scan_parquet(
            whole, glob=False, schema=schema, missing_columns="insert", extra_columns="ignore"
        )


def open_tables(directory: str | Location) -> StudyTables:
    """Return the tables of the study in a local directory or under a URI, read when they are collected.

    Raises AnalysisError where there is no study or none of its trials has finished yet, and where a newer release
    wrote its trials or nothing of them can be read.
    """
    where = str(directory)
    study = location(where)
    try:
        if not (study / "study.toml").is_file():
            raise AnalysisError(f"{where}: no study.toml in it; expected the directory of a launched study")
        tables = StudyTables(where, _objectives(read_spec(study)))
        finished = _collect(tables.trials.select(pl.len()), where).item()
    except OSError as error:
        raise AnalysisError(f"{where}: cannot be read ({' '.join(str(error).split())})") from error
    if finished == 0:
        raise AnalysisError(f"{where}: no trial has finished yet; expected rows in results/trials/*.parquet")
    return tables


def read_trials(study: StudyTables) -> pl.DataFrame:
    """Return the whole `trials` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.trials, study.directory)


def read_spec(study: Location) -> dict[str, Any]:
    """Return the content of a study's study.toml; AnalysisError where it is no TOML."""
    spec = study / "study.toml"
    try:
        return tomllib.loads(spec.read_text("utf-8"))
    except ValueError as error:  # no TOML, or no text
        raise AnalysisError(
            f"{spec} cannot be read ({error}); expected the spec that a launch wrote"
        ) from error


def read_matches(study: StudyTables) -> pl.DataFrame:
    """Return the whole `matches` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.matches, study.directory)


def read_attacks(study: StudyTables) -> pl.DataFrame:
    """Return the whole `attacks` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.attacks, study.directory)


def read_epochs(study: StudyTables) -> pl.DataFrame:
    """Return the whole `epochs` table; AnalysisError where a part of it cannot be read."""
    return _collect(study.epochs, study.directory)


def read_importance(study: StudyTables) -> pl.DataFrame:
    """Return `importance.parquet`, with the columns of IMPORTANCE_SCHEMA; AnalysisError where it was not computed."""
    try:
        with local_copy(study.location / "importance.parquet") as path:
            return pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise AnalysisError(
            f"{study.location / 'importance.parquet'} cannot be read; it is computed by: aia-study plot"
            f" {study.directory} --kind importance"
        ) from error


def _objectives(spec: Mapping[str, Any]) -> tuple[Objective, ...]:
    attribute = spec.get("attribute")
    count = len(attribute) if isinstance(attribute, list) else 1
    return search_objectives(spec.get("objectives", "maximum"), count)


def _collect(frame: pl.LazyFrame, directory: str) -> pl.DataFrame:
    try:
        return frame.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise AnalysisError(
            f"{directory}: its results cannot be read ({reason}); expected Parquet"
        ) from error
