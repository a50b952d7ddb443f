"""Finds the Parquet files of a table and tells whole files from damaged ones."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow.parquet as pq
from pyarrow.fs import FileSystem

from analysis.errors import AnalysisError
from analysis.tables.location import Location, ObjectPath, children
from analysis.tables.schema import SCHEMA_VERSION, schema_version

READERS = 8  # threads, because on a shared file system the read of each footer waits for the network


@dataclass(frozen=True)
class Damaged:
    """A part that is no whole Parquet file; `why` is the error of reading it, in one line."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path} is damaged and left out: {self.why}"


@dataclass(frozen=True)
class Parts:
    """The paths of one table's files. `store` is the object storage that holds them, None for local directories."""

    whole: tuple[str, ...]
    damaged: tuple[Damaged, ...]
    store: FileSystem | None


def find_parts(study: Location, table: str) -> Parts:
    """Return the parts of a study's table; the footer of each part is read once.

    Raises AnalysisError for a part of another version of the tables, because its columns may have another meaning, and
    OSError where object storage does not answer.
    """
    folder = study / "results" / table
    store = folder.store if isinstance(folder, ObjectPath) else None
    root = folder.path if isinstance(folder, ObjectPath) else str(folder)
    paths = [f"{root}/{name}" for name in children(folder) if name.endswith(".parquet")]
    with ThreadPoolExecutor(READERS) as readers:
        damaged = [damage for damage in readers.map(partial(_damage, store), paths) if damage]
    unreadable = {damage.path for damage in damaged}
    return Parts(tuple(path for path in paths if path not in unreadable), tuple(damaged), store)


def require_some(parts: Parts, directory: str, table: str) -> None:
    """Raise AnalysisError where the table has parts and none of them can be read."""
    if parts.damaged and not parts.whole:
        first, others = parts.damaged[0], len(parts.damaged) - 1
        raise AnalysisError(
            f"{directory}: nothing of table {table} can be read: {first.path} is damaged ({first.why})"
            f"{f' and {others} more' if others else ''}; expected whole Parquet files, restore them from a copy"
        )


def _damage(store: FileSystem | None, path: str) -> Damaged | None:
    try:
        version = schema_version(pq.read_metadata(path, filesystem=store).metadata)
    except (OSError, ValueError) as error:  # Arrow raises a ValueError for a file that is not Parquet
        # Where object storage does not answer, the part may be intact.
        if store is not None and isinstance(error, OSError):
            raise
        return Damaged(path, str(error).splitlines()[0])
    if version != str(SCHEMA_VERSION):
        raise AnalysisError(
            f"{path} has table version {version}, this release has version {SCHEMA_VERSION}: read it with the release"
            " of aia-study that wrote it"
        )
    return None
