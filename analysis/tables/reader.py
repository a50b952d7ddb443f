"""Reads the four result tables of a study lazily from its directory or from object storage."""

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
    """The results of one study as lazy frames with rows in no particular order, and the objectives of its search.

    A frame is made when its property is first read: its parts are found and their footers are read then. That raises
    AnalysisError where a part has another version of the tables, or where all parts are damaged.
    """

    directory: str
    objectives: tuple[Objective, ...]
    _found: dict[str, Parts] = field(default_factory=dict, repr=False, compare=False)

    @property
    def location(self) -> Location:
        """The path or URI of the study's directory."""
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
        """Return the damaged parts of the given tables, by default of all tables; the frames leave them out."""
        return tuple(part for table in tables or TABLES for part in self._parts(table).damaged)

    def _parts(self, table: str) -> Parts:
        if table not in self._found:
            self._found[table] = find_parts(self.location, table)
        return self._found[table]

    def _scan(self, table: str) -> pl.LazyFrame:
        schema = pl.DataFrame(SCHEMAS[table].empty_table()).schema
        parts = self._parts(table)
        require_some(parts, self.directory, table)
        whole = list(parts.whole)
        if not whole:
            return pl.LazyFrame(schema=schema)
        if parts.store is not None:  # pyarrow reads object storage with the credentials that wrote it
            return pl.scan_pyarrow_dataset(
                pyarrow.dataset.dataset(whole, SCHEMAS[table], format="parquet", filesystem=parts.store)
            )
        return pl.scan_parquet(whole, glob=False, schema=schema)


def open_tables(directory: str | Location) -> StudyTables:
    """Return the tables of the study in a local directory or under a URI; they are read when they are collected.

    Raises AnalysisError where there is no study or none of its trials has finished yet, and where its `trials` have
    another version of the tables or cannot be read.
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
    """Return the whole `trials` table; raise AnalysisError where a part of it cannot be read."""
    return _collect(study.trials, study.directory)


def read_spec(study: Location) -> dict[str, Any]:
    """Return the content of a study's study.toml; raise AnalysisError where it is no TOML."""
    spec = study / "study.toml"
    try:
        return tomllib.loads(spec.read_text("utf-8"))
    except ValueError as error:  # no TOML, or no text
        raise AnalysisError(
            f"{spec} cannot be read ({error}); expected the spec that a launch wrote"
        ) from error


def read_matches(study: StudyTables) -> pl.DataFrame:
    """Return the whole `matches` table; raise AnalysisError where a part of it cannot be read."""
    return _collect(study.matches, study.directory)


def read_attacks(study: StudyTables) -> pl.DataFrame:
    """Return the whole `attacks` table; raise AnalysisError where a part of it cannot be read."""
    return _collect(study.attacks, study.directory)


def read_epochs(study: StudyTables) -> pl.DataFrame:
    """Return the whole `epochs` table; raise AnalysisError where a part of it cannot be read."""
    return _collect(study.epochs, study.directory)


def read_importance(study: StudyTables) -> pl.DataFrame:
    """Return `importance.parquet` with the columns of IMPORTANCE_SCHEMA; raise AnalysisError where it is missing."""
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
            f"{directory}: its results cannot be read ({reason}); expected Parquet with the columns of its table"
        ) from error
