"""The Parquet files of a table: those that can be read, and those that are damaged."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow.parquet as pq
from pyarrow.fs import FileSystem

from analysis.errors import AnalysisError
from analysis.tables.location import Location, ObjectPath, children
from analysis.tables.schema import SCHEMA_KEY, SCHEMA_VERSION

READERS = 8  # threads: on a shared file system each footer waits for the network


@dataclass(frozen=True)
class Damaged:
    """A part that is no whole Parquet file, and what says so."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path} is damaged and left out: {self.why}"


@dataclass(frozen=True)
class Parts:
    """The files of one table by path; `store` is what they lie in, None for this machine's directories."""

    whole: tuple[str, ...]
    damaged: tuple[Damaged, ...]
    store: FileSystem | None


def find_parts(study: Location, table: str) -> Parts:
    """Return the parts of a study's table; each one's footer is read, once.

    Raises AnalysisError for a part that a newer release wrote: its columns may mean something else. OSError where
    object storage does not answer.
    """
    folder = study / "results" / table
    store = folder.store if isinstance(folder, ObjectPath) else None
    root = folder.path if isinstance(folder, ObjectPath) else str(folder)
    paths = [f"{root}/{name}" for name in children(folder) if name.endswith(".parquet")]
    with ThreadPoolExecutor(READERS) as readers:
        found = [damage for damage in readers.map(partial(_damage, store), paths) if damage]
    lost = {damage.path for damage in found}
    return Parts(tuple(path for path in paths if path not in lost), tuple(found), store)


def require_some(parts: Parts, directory: str, table: str) -> None:
    """Raise AnalysisError where parts are there and none of them can be read."""
    if parts.damaged and not parts.whole:
        first, others = parts.damaged[0], len(parts.damaged) - 1
        raise AnalysisError(
            f"{directory}: nothing of table {table} can be read: {first.path} is damaged ({first.why})"
            f"{f' and {others} more' if others else ''}; expected whole Parquet files, restore them from a copy"
        )


def _damage(store: FileSystem | None, path: str) -> Damaged | None:
    try:
        version = _schema_version(pq.read_metadata(path, filesystem=store).metadata or {})
    except (OSError, ValueError) as error:  # Arrow's error for what is no Parquet is a ValueError
        # Object storage that does not answer says nothing of the part.
        if store is not None and isinstance(error, OSError):
            raise
        return Damaged(path, str(error).splitlines()[0])
    if version > SCHEMA_VERSION:
        raise AnalysisError(
            f"{path} has version {version} of the tables, this release reads up to version {SCHEMA_VERSION}: upgrade"
            " aia-study"
        )
    return None


def _schema_version(metadata: dict[bytes, bytes]) -> int:
    """Parts without one are of the first release, or were written by another tool."""
    return int(metadata.get(SCHEMA_KEY, b"1"))
