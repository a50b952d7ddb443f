"""The writer lock of a study: only one process at a time writes the study."""

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
    """The writer lock of a study, held by this process from construction until `release` or its death.

    The constructor raises StudyError if another process is writing the study. In object storage a writer that died
    still holds the lock for `DEAD_SECONDS`; the constructor then waits that long.
    """

    def __init__(self, storage: StudyStorage) -> None:
        self._storage = storage
        self._lease = _acquire_lease(storage) if storage.remote else None
        self._descriptor = None if storage.remote else _lock_file(storage.directory / "wal" / LOCK, storage)

    def check(self) -> None:
        """Raise StudyError if another process counted this one as dead and is writing the study now."""
        if self._lease and self._lease.is_lost():
            raise StudyError(
                f"{self._storage}: this process was silent for {DEAD_SECONDS:.0f} s, so another process took over and"
                " writes the study now; this process ends"
            )

    def release(self) -> None:
        """Release the lock, so that another process can write the study."""
        if self._lease:
            self._lease.release()
        if self._descriptor is not None:
            os.close(self._descriptor)


def _acquire_lease(storage: StudyStorage) -> ObjectLease:
    assert storage.remote
    queue = ObjectLeaseQueue(storage.remote / LOCK)
    message_printed = False
    while (lease := queue.acquire()) is None:
        if queue.holder_is_alive:
            raise _written_by_another(storage)
        if not message_printed:
            stderr.print(
                f"{storage}: its last writer may have died; waiting up to {DEAD_SECONDS:.0f} s to be sure"
            )
            message_printed = True
        time.sleep(POLL_SECONDS)
    return lease


def _lock_file(path: Path, storage: StudyStorage) -> int:
    """Return the descriptor of the locked file; the lock ends when the descriptor is closed or the process dies."""
    make_directory(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise _written_by_another(storage) from error
    return descriptor


def _written_by_another(storage: StudyStorage) -> StudyError:
    return StudyError(f"{storage} is being written by another process: wait for it, or stop it")
