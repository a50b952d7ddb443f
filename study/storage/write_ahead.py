"""The write-ahead file: rows that are on disk when `append` returns, before they are part of a table."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study.errors import StudyError


class WriteAheadFile:
    """Entries of one segment, one line of JSON each, on disk one by one; `publish` brings the file to where else it
    has to be."""

    def __init__(self, path: Path, publish: Callable[[], None]) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        self._bytes = 0
        self._publish = publish
        sync_directory(path.parent)

    def append(self, entry: dict[str, Any]) -> None:
        """Write `entry`; whatever goes wrong leaves the file as it was: no line ever follows a torn one."""
        line = json.dumps(entry, allow_nan=False).encode() + b"\n"
        try:
            written = 0
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
            os.fsync(self._descriptor)
            self._publish()
        except BaseException:
            os.ftruncate(self._descriptor, self._bytes)
            raise
        self._bytes += len(line)

    def close(self) -> None:
        os.close(self._descriptor)


def read_entries(path: Path) -> list[dict[str, Any]]:
    """Entries of a write-ahead file that a writer left behind, without a last line that was torn.

    StudyError where a line before the last is damaged.
    """
    with path.open("rb+") as file:
        # What is replayed must still be there if the machine fails between two parts of the replay.
        os.fsync(file.fileno())
        *lines, _ = file.read().split(b"\n")
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(json.loads(line))
        except ValueError as error:
            # A power cut can leave the end of a line on disk without its beginning.
            if number < len(lines):
                raise StudyError(
                    f"{path}, line {number} is damaged: move the file away to go on without its trials"
                ) from error
    return entries


def make_directory(directory: Path) -> None:
    """Create `directory`, durably; FileNotFoundError where what it lies in is missing."""
    if not directory.is_dir():
        directory.mkdir(exist_ok=True)
        sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Make new, renamed and removed names in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
