"""The results store: trials become durable one by one and appear in Parquet tables in whole parts.

`<study>/wal/` takes each trial's rows as it ends; readers glob `<study>/results/<table>/*.parquet`. Both are
numbered by segment: a write-ahead file becomes a part per table. Parts are never rewritten, merged or deleted.
"""

import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.tables.location import Location
from analysis.tables.schema import SCHEMA_KEY, SCHEMAS, checked
from study.errors import StudyError
from study.storage.study_storage import StudyStorage
from study.storage.write_ahead import WriteAheadFile, make_directory, read_entries, sync_directory
from study.storage.writer_lock import Writer

FLUSH_TRIALS = 64
FLUSH_SECONDS = 10.0
RESULTS, WAL = "results", "wal"

Entry = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class TrialRows:
    """The rows of one final trial in the four tables. Rows are checked here and nowhere else: the store trusts them.

    Raises ValueError for a row that its table cannot hold (a wrong column or type, NaN, inf) and for a row that bears
    another trial's id.
    """

    trial: Mapping[str, Any]
    epochs: Sequence[Mapping[str, Any]]
    attacks: Sequence[Mapping[str, Any]]
    matches: Sequence[Mapping[str, Any]]

    def __post_init__(self) -> None:
        (trial,) = checked([self.trial], SCHEMAS["trials"])
        checked_rows = {
            "trial": trial,
            "epochs": checked(self.epochs, SCHEMAS["epochs"]),
            "attacks": checked(self.attacks, SCHEMAS["attacks"]),
            "matches": checked(self.matches, SCHEMAS["matches"]),
        }
        for name, rows in checked_rows.items():
            object.__setattr__(self, name, rows)
        others = (*self.epochs, *self.attacks, *self.matches)
        if any(row["trial_id"] != trial["trial_id"] for row in others):
            raise ValueError(f"rows of trial {trial['trial_id']} may not bear another trial's id")

    def by_table(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows by the name of their table, as the write-ahead file holds them."""
        tables = {
            "epochs": self.epochs,
            "attacks": self.attacks,
            "matches": self.matches,
            "trials": [self.trial],
        }
        return {table: [dict(row) for row in rows] for table, rows in tables.items()}


class ResultsStore:
    """The only writer of a study's tables; opening it replays what a writer that died left behind.

    In object storage an object is a trial's rows, or a part, as soon as a call returns that made it. StudyError where
    another process writes the study, or its write-ahead file or one of its parts is damaged.
    """

    def __init__(self, place: StudyStorage) -> None:
        self._place = place
        self._results = place.directory / RESULTS
        self._wal_directory = place.directory / WAL
        self._writer: Writer | None = Writer(place)
        self._wal: WriteAheadFile | None = None
        self._pending: list[Entry] = []
        self._first_pending_at = 0.0
        self._flushed_at = -math.inf
        # Segments that take no more rows but lack parts: a dead writer's, or a failed flush's.
        self._sealed: dict[int, list[Entry]] = {}
        try:
            self._fetch()
            for part in parts_of(place):
                part_version(place, part)
            self._trial_ids = _recorded(place)
            for path in sorted(self._wal_directory.glob("segment-*.jsonl")):
                self._sealed[_segment(path)] = read_entries(path)
            parts = (_segment(path) for path in parts_of(place))
            self._segment = max((*parts, *self._sealed), default=0) + 1
            for entries in self._sealed.values():
                self._trial_ids.update(_trial_id(entry) for entry in entries)
            self._write_sealed()
        except BaseException:
            self._release()
            raise

    def append(self, rows: TrialRows) -> None:
        """Record a final trial; it survives whatever happens once this returns.

        Raises ValueError for a trial that is recorded already and where the store is closed.
        """
        if self._writer is None:
            raise ValueError("the store is closed")
        self._writer.check()
        entry = rows.by_table()
        trial_id = _trial_id(entry)
        if trial_id in self._trial_ids:
            raise ValueError(f"trial {trial_id} is recorded already: a trial is final once")
        if self._wal is None:
            name = self._wal_name(self._segment)
            self._wal = WriteAheadFile(self._place.directory / name, lambda: self._place.publish(name))
        self._wal.append(entry)
        if not self._pending:
            self._first_pending_at = time.monotonic()
        self._pending.append(entry)
        self._trial_ids.add(trial_id)

    def flush_if_due(self, now: float) -> bool:
        """Flush when 64 trials wait, or one has for 10 s; `now` is `time.monotonic()`. Whether it flushed.

        Within 10 s of the last flush's end 64 trials wait too: a study of many short trials would be all small parts.
        """
        waited = bool(self._pending) and now - self._first_pending_at >= FLUSH_SECONDS
        many = len(self._pending) >= FLUSH_TRIALS and now - self._flushed_at >= FLUSH_SECONDS
        due = waited or many or bool(self._sealed)
        if due:
            self.flush()
        return due

    def flush(self) -> None:
        """Turn what waits into parts. Where that fails nothing is lost, and the next flush tries again."""
        if self._wal is not None:
            # The segment is closed first: rows that came after some of its parts were written would be lost.
            self._wal.close()
            self._wal = None
            self._sealed[self._segment] = self._pending
            self._pending = []
            self._segment += 1
        self._write_sealed()
        self._flushed_at = time.monotonic()

    def trial_ids(self) -> frozenset[str]:
        """Ids of all final trials, in parts or waiting."""
        return frozenset(self._trial_ids)

    def close(self) -> None:
        """Flush, then let go of the study; a second time does nothing."""
        if self._writer is None:
            return
        try:
            self.flush()
        finally:
            self._release()

    def check(self) -> None:
        """StudyError where another process writes the study by now."""
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

    def _fetch(self) -> None:
        """What earlier writers left in object storage."""
        for table in SCHEMAS:
            self._place.fetch_missing(f"{RESULTS}/{table}")
        make_directory(self._place.fetch(WAL))

    def _wal_name(self, segment: int) -> str:
        return f"{WAL}/segment-{segment:06d}.jsonl"

    def _write_sealed(self) -> None:
        for segment, entries in sorted(self._sealed.items()):
            self.check()
            if entries:
                self._write_parts(segment, entries)
            self._place.remove(self._wal_name(segment))
            sync_directory(self._wal_directory)
            del self._sealed[segment]

    def _write_parts(self, segment: int, entries: Sequence[Entry]) -> None:
        """The parts of a segment, trials last. What a writer that died has written already stays."""
        for table, schema in SCHEMAS.items():
            name = f"{RESULTS}/{table}/part-{segment:06d}.parquet"
            path = self._place.directory / name
            rows = [row for entry in entries for row in entry[table]]
            # Without rows, only the first part of a table is written: a glob then finds it, if empty.
            wanted = bool(rows) or not any(path.parent.glob("part-*.parquet"))
            if wanted and not path.exists():
                make_directory(self._results)
                make_directory(path.parent)
                self._write_whole(name, pa.Table.from_pylist(rows, schema=schema))

    def _write_whole(self, name: str, table: pa.Table) -> None:
        """The part appears whole: written under a name that no reader globs, synced, renamed.

        In object storage it appears first: where it is here, it is there.
        """
        path = self._place.directory / name
        aside = path.with_name(f".{path.stem}.tmp")
        with aside.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        self._place.publish(name, aside)
        os.replace(aside, path)
        sync_directory(path.parent)


def parts_of(place: StudyStorage) -> list[Path]:
    """The parts of all tables that are here."""
    return sorted((place.directory / RESULTS).glob("*/part-*.parquet"))


def part_version(place: StudyStorage, part: Path) -> int:
    """The version of the tables that a part was written with; StudyError where it is damaged."""
    with _intact(place, part):
        metadata = pq.read_metadata(part).metadata or {}
    return int(metadata.get(SCHEMA_KEY, b"1"))


def found_at(place: StudyStorage, path: Path) -> Location:
    """Where others find what lies here."""
    return place.location / path.relative_to(place.directory).as_posix()


@contextmanager
def _intact(place: StudyStorage, part: Path) -> Iterator[None]:
    """Reading a part: StudyError where it is damaged. Of the trials in it nobody knows which they were."""
    try:
        yield
    except (OSError, ValueError) as error:  # Arrow's error for what is no Parquet is a ValueError
        if isinstance(error, OSError) and error.errno:  # the storage's, and nothing of the part
            raise
        raise StudyError(
            f"{found_at(place, part)} is damaged ({str(error).splitlines()[0]}): restore it from a copy, or move"
            f" {part.name} of all tables in results away, then others run in place of its trials"
        ) from error


def _recorded(place: StudyStorage) -> set[str]:
    ids: set[str] = set()
    for part in (place.directory / RESULTS / "trials").glob("part-*.parquet"):
        with _intact(place, part):
            ids.update(pq.read_table(part, columns=["trial_id"]).column("trial_id").to_pylist())
    return ids


def _trial_id(entry: Entry) -> str:
    return entry["trials"][0]["trial_id"]


def _segment(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
