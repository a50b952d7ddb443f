"""The write-ahead file: it makes the rows of a trial durable before they become part of a Parquet table."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from study.errors import StudyError


class WriteAheadFile:
    """The entries of one segment, one line of JSON each; every entry is on disk when `append` returns.

    `publish` is called after each entry, to upload the file to object storage.
    """

    def __init__(self, path: Path, publish: Callable[[], None]) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        self._bytes = 0
        self._publish = publish
        sync_directory(path.parent)

    def append(self, entry: dict[str, Any]) -> None:
        """Append `entry` durably. An error leaves the file as it was, so that no line ever follows a torn line."""
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
    """Return the entries of a write-ahead file that an earlier writer left; a torn last line is dropped.

    Raises StudyError if a line before the last is damaged.
    """
    with path.open("rb+") as file:
        # The entries have to be on disk before the replay writes the first part, in case the machine fails during it.
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
                    f"{path}, line {number} is damaged: move the file away to continue without its trials"
                ) from error
    return entries


def make_directory(directory: Path) -> None:
    """Create `directory` durably unless it exists. Raises FileNotFoundError if its parent is missing."""
    if not directory.is_dir():
        directory.mkdir(exist_ok=True)
        sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Flush `directory` to disk, so that files created, renamed or removed in it stay so after a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
