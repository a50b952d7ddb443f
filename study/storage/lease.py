"""A lease on a shared file system: one holder at a time, and another takes over where the holder died.

Each lease is a file of its own, numbered upwards and made exclusively, so that two who find a holder dead cannot both
follow it. The holder keeps changing its file; who waits watches it by a clock of its own, so that clocks of nodes need
not agree.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

BEAT_SECONDS = 1.0
DEAD_SECONDS = 15.0  # without a beat; a file server may show one this late
RELEASED = "released"


class Lease:
    """The holder's side: beats until it is released."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {path}", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stops beating and lets the next one in at once."""
        self._released.set()
        self._thread.join()
        with suppress(OSError):  # the others then wait until it counts as dead
            self._path.write_text(RELEASED)

    def _beat(self) -> None:
        beats = 0
        while not self._released.wait(BEAT_SECONDS):
            beats += 1
            with suppress(OSError):  # the next beat may get through; without any another takes over
                self._path.write_text(str(beats))


class LeaseQueue:
    """The waiting side: `acquire` until it gives a lease. One instance for each who waits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[Path | None, str] = (None, "")
        self._seen_at = time.monotonic()

    def acquire(self) -> Lease | None:
        """The lease, or None while another holds it; to be called again within a second or so.

        Where the folder is removed meanwhile it is made again, and a new first lease with it.
        """
        self._folder.mkdir(exist_ok=True)
        last = max(self._folder.glob("lease-*"), default=None)
        if last is not None and self._is_held(last):
            return None
        number = 1 if last is None else int(last.name.rpartition("-")[2]) + 1
        path = self._folder / f"lease-{number:06d}"
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except (FileExistsError, FileNotFoundError):  # another was faster, or the folder went
            return None
        return Lease(path)

    def _is_held(self, path: Path) -> bool:
        # The content, not its time stamp: a network file system caches stamps for longer.
        try:
            content = path.read_text()
        except FileNotFoundError:  # the folder went
            return True
        if content == RELEASED:
            return False
        if (path, content) != self._seen:
            self._seen, self._seen_at = (path, content), time.monotonic()
        return time.monotonic() - self._seen_at < DEAD_SECONDS
