"""The results store: records each finished trial durably and writes the Parquet tables part by part.

When a trial ends, its rows are appended to a write-ahead file in `<study>/wal/`. Such a file, a segment, later becomes
one part of every table, `<study>/results/<table>/part-<segment>.parquet`, which readers find by the glob `*.parquet`.
Parts appear whole and are never rewritten, merged or deleted.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.atomic_write import atomic_write
from analysis.tables.schema import SCHEMAS, schema_version
from study.errors import StudyError
from study.storage.outcome import Outcome
from study.storage.study_storage import StudyStorage
from study.storage.write_ahead import WriteAheadFile, make_directory, read_entries, sync_directory
from study.storage.writer_lock import Writer

FLUSH_TRIALS = 64
FLUSH_SECONDS = 10.0
RESULTS, WAL = "results", "wal"

Entry = dict[str, list[dict[str, Any]]]


class ResultsStore:
    """The only writer of a study's tables. Opening it turns write-ahead files that an earlier writer left into parts.

    In object storage, rows and parts are uploaded when the call that wrote them returns. The constructor raises
    StudyError if another process is writing the study, or if a write-ahead file or a part is damaged.
    """

    def __init__(self, storage: StudyStorage) -> None:
        self._storage = storage
        self._results = storage.directory / RESULTS
        self._wal_directory = storage.directory / WAL
        self._writer: Writer | None = Writer(storage)
        self._wal: WriteAheadFile | None = None
        self._pending: list[Entry] = []
        self._first_pending_at = 0.0
        self._flushed_at = -math.inf
        # Closed segments whose parts are not all written yet, because a writer died or a flush failed.
        self._sealed: dict[int, list[Entry]] = {}
        try:
            self._download()
            for part in list_parts(storage):
                read_schema_version(storage, part)
            self._trial_ids = _recorded_trial_ids(storage)
            for path in sorted(self._wal_directory.glob("segment-*.jsonl")):
                self._sealed[_segment(path)] = read_entries(path)
            parts = (_segment(path) for path in list_parts(storage))
            self._segment = max((*parts, *self._sealed), default=0) + 1
            for entries in self._sealed.values():
                self._trial_ids.update(_trial_id(entry) for entry in entries)
            self._write_sealed()
        except BaseException:
            self._release()
            raise

    def append(self, rows: Outcome) -> None:
        """Record a finished trial; it is durable when this method returns.

        Raises ValueError for a trial that is recorded already, or a closed store.
        """
        if self._writer is None:
            raise ValueError("the store is closed")
        self._writer.check()
        entry = rows.by_table()
        trial_id = _trial_id(entry)
        if trial_id in self._trial_ids:
            raise ValueError(f"trial {trial_id} is recorded already: a trial is recorded only once")
        if self._wal is None:
            name = self._wal_name(self._segment)
            self._wal = WriteAheadFile(self._storage.directory / name, lambda: self._storage.upload(name))
        self._wal.append(entry)
        if not self._pending:
            self._first_pending_at = time.monotonic()
        self._pending.append(entry)
        self._trial_ids.add(trial_id)

    def flush_if_due(self, now: float) -> bool:
        """Flush if 64 trials are waiting or one has waited for 10 s, and return whether that was so.

        `now` is `time.monotonic()`. Two flushes are at least 10 s apart, so that many short trials do not make many
        small parts; segments whose earlier flush failed are flushed at once.
        """
        waited = bool(self._pending) and now - self._first_pending_at >= FLUSH_SECONDS
        many = len(self._pending) >= FLUSH_TRIALS and now - self._flushed_at >= FLUSH_SECONDS
        due = waited or many or bool(self._sealed)
        if due:
            self.flush()
        return due

    def flush(self) -> None:
        """Write the waiting trials as parts. If that fails, nothing is lost and the next flush repeats it."""
        if self._wal is not None:
            # The segment is closed first, because rows appended after its first part was written would be lost.
            self._wal.close()
            self._wal = None
            self._sealed[self._segment] = self._pending
            self._pending = []
            self._segment += 1
        self._write_sealed()
        self._flushed_at = time.monotonic()

    def trial_ids(self) -> frozenset[str]:
        """Return the ids of all recorded trials, whether in parts or waiting for a flush."""
        return frozenset(self._trial_ids)

    def close(self) -> None:
        """Flush and release the writer lock; further calls do nothing."""
        if self._writer is None:
            return
        try:
            self.flush()
        finally:
            self._release()

    def check(self) -> None:
        """Raise StudyError if another process has taken over the writing of the study."""
        if self._writer is not None:
            self._writer.check()

    def __enter__(self) -> "ResultsStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _release(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _download(self) -> None:
        """Download the parts and write-ahead files of earlier writers."""
        for table in SCHEMAS:
            self._storage.download_missing(f"{RESULTS}/{table}")
        make_directory(self._storage.download(WAL))

    def _wal_name(self, segment: int) -> str:
        return f"{WAL}/segment-{segment:06d}.jsonl"

    def _write_sealed(self) -> None:
        for segment, entries in sorted(self._sealed.items()):
            self.check()
            if entries:
                self._write_parts(segment, entries)
            self._storage.remove(self._wal_name(segment))
            sync_directory(self._wal_directory)
            del self._sealed[segment]

    def _write_parts(self, segment: int, entries: Sequence[Entry]) -> None:
        """Write the missing parts of a segment; `trials` comes last, so that a trial's other rows exist before it."""
        for table, schema in SCHEMAS.items():
            name = f"{RESULTS}/{table}/part-{segment:06d}.parquet"
            path = self._storage.directory / name
            rows = [row for entry in entries for row in entry[table]]
            # A table without rows gets one empty part, so that a glob over it finds its schema.
            needed = bool(rows) or not any(path.parent.glob("part-*.parquet"))
            if needed and not path.exists():
                make_directory(self._results)
                make_directory(path.parent)
                self._write_part(name, pa.Table.from_pylist(rows, schema=schema))

    def _write_part(self, name: str, table: pa.Table) -> None:
        """Write one part atomically and durably.

        It is uploaded before the local file is renamed: a part that exists locally exists in object storage too.
        """
        path = self._storage.directory / name
        with atomic_write(path) as aside:
            with aside.open("wb") as file:
                pq.write_table(table, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            self._storage.upload(name, aside)
        sync_directory(path.parent)


def list_parts(storage: StudyStorage) -> list[Path]:
    """Return the local paths of the parts of all tables, sorted."""
    return sorted((storage.directory / RESULTS).glob("*/part-*.parquet"))


def read_schema_version(storage: StudyStorage, part: Path) -> str:
    """Return the version of the tables' schemas that a part was written with. Raises StudyError if it is damaged."""
    with _damage_as_study_error(storage, part):
        return schema_version(pq.read_metadata(part).metadata)


@contextmanager
def _damage_as_study_error(storage: StudyStorage, part: Path) -> Iterator[None]:
    """Raise StudyError if reading the part in this context shows that it is damaged."""
    try:
        yield
    except (OSError, ValueError) as error:  # Arrow raises a ValueError for a file that is not Parquet
        if isinstance(error, OSError) and error.errno:  # the storage failed; the part may be intact
            raise
        raise StudyError(
            f"{storage.location_of(part)} is damaged ({str(error).splitlines()[0]}): restore it from a copy, or move"
            f" {part.name} of all tables in results away; other trials then run in place of those in it"
        ) from error


def _recorded_trial_ids(storage: StudyStorage) -> set[str]:
    ids: set[str] = set()
    for part in (storage.directory / RESULTS / "trials").glob("part-*.parquet"):
        with _damage_as_study_error(storage, part):
            ids.update(pq.read_table(part, columns=["trial_id"]).column("trial_id").to_pylist())
    return ids


def _trial_id(entry: Entry) -> str:
    return entry["trials"][0]["trial_id"]


def _segment(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
