"""The right to write a study, which one process has at a time."""

import fcntl
import os
import time
from pathlib import Path

from study.console import stderr
from study.errors import StudyError
from study.storage.object_lease import DEAD_SECONDS, ObjectLease, ObjectLeaseQueue
from study.storage.study_storage import StudyStorage
from study.storage.write_ahead import make_directory

LOCK = "lock"
POLL_SECONDS = 0.5


class Writer:
    """This process as the only writer of a study, until it is released or dies.

    StudyError where another process writes it. In object storage one that died is waited for until it counts as dead.
    """

    def __init__(self, place: StudyStorage) -> None:
        self._place = place
        self._lease = _leased(place) if place.remote else None
        self._descriptor = None if place.remote else _locked(place.directory / "wal" / LOCK, place)

    def check(self) -> None:
        """StudyError where another process took this one for dead: what it writes now would be lost or overwritten."""
        if self._lease and self._lease.is_lost():
            raise StudyError(
                f"{self._place} was silent for {DEAD_SECONDS:.0f} s and another process writes it now: this one ends"
            )

    def release(self) -> None:
        """Lets the next one in."""
        if self._lease:
            self._lease.release()
        if self._descriptor is not None:
            os.close(self._descriptor)


def _leased(place: StudyStorage) -> ObjectLease:
    assert place.remote
    queue = ObjectLeaseQueue(place.remote / LOCK)
    told = False
    while (lease := queue.acquire()) is None:
        if queue.beaten:
            raise _written_by_another(place)
        if not told:
            stderr.print(f"{place}: its last writer may have died; that is known within {DEAD_SECONDS:.0f} s")
            told = True
        time.sleep(POLL_SECONDS)
    return lease


def _locked(path: Path, place: StudyStorage) -> int:
    """Descriptor of the lock file; closing it, or dying, lets go."""
    make_directory(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise _written_by_another(place) from error
    return descriptor


def _written_by_another(place: StudyStorage) -> StudyError:
    return StudyError(f"{place} is being written by another process: wait for it, or stop it")
