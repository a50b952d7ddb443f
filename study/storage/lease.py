"""Leases on a shared file system: one process holds the lease, and another takes over when the holder dies.

Every lease is a new file with the next higher number. It is created exclusively, so of two processes that find the
holder dead only one can succeed it. The holder changes the content of its file every second. Waiting processes time
the silence with their own clock, so the clocks of the nodes need not agree.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

BEAT_SECONDS = 1.0
DEAD_SECONDS = 15.0  # a file server may show a beat this late
RELEASED = "released"


class Lease:
    """A lease that this process holds; a background thread changes its file until the lease is released."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {path}", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stops the beats and lets the next waiting process acquire a lease at once."""
        self._released.set()
        self._thread.join()
        with suppress(OSError):  # the waiting processes then wait until the holder counts as dead
            self._path.write_text(RELEASED)

    def _beat(self) -> None:
        beats = 0
        while not self._released.wait(BEAT_SECONDS):
            beats += 1
            with suppress(OSError):  # the next beat may succeed; if none does, another process takes over
                self._path.write_text(str(beats))


class LeaseQueue:
    """Acquires the lease of a folder for one waiting process, which calls `acquire` until it returns a lease.

    The queue remembers what it saw of the holder, so every waiting process or thread needs an instance of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[Path | None, str] = (None, "")
        self._seen_at = time.monotonic()

    def acquire(self) -> Lease | None:
        """Return the lease, or None while another process holds it; then call again after about a second.

        If the folder was removed in between, it is created again and numbering starts anew.
        """
        self._folder.mkdir(exist_ok=True)
        last = max(self._folder.glob("lease-*"), default=None)
        if last is not None and self._is_held(last):
            return None
        number = 1 if last is None else int(last.name.rpartition("-")[2]) + 1
        path = self._folder / f"lease-{number:06d}"
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except (FileExistsError, FileNotFoundError):  # another process was faster, or the folder was removed
            return None
        return Lease(path)

    def _is_held(self, path: Path) -> bool:
        # Content is compared instead of time stamps because network file systems cache time stamps for longer.
        try:
            content = path.read_text()
        except FileNotFoundError:  # the folder was removed
            return True
        if content == RELEASED:
            return False
        if (path, content) != self._seen:
            self._seen, self._seen_at = (path, content), time.monotonic()
        return time.monotonic() - self._seen_at < DEAD_SECONDS
