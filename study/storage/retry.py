"""Storage that goes away and comes back: whether it takes files now, and waiting until it does."""

import errno
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from study.storage.study_storage import StudyStorage

PROBE_BYTES = 2**24  # more than a checkpoint of the paper's networks
PATIENCE_SECONDS = 120.0
POLL_SECONDS = 1.0
LASTING = (errno.EACCES, errno.EPERM, errno.EROFS)  # waiting does not help
Result = TypeVar("Result")


def is_writable(place: StudyStorage) -> bool:
    """Whether a file as large as a checkpoint can be written there."""
    name = f".probe-{os.uname().nodename}-{os.getpid()}-{threading.get_ident()}"
    probe = place.directory / name
    try:
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        place.publish(name)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            place.remove(name)
    return True


def becomes_writable(place: StudyStorage) -> bool:
    """Waits until it is, for `PATIENCE_SECONDS` at most; whether it became so."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not is_writable(place):
        if time.monotonic() >= ends:
            return False
        time.sleep(POLL_SECONDS)
    return True


def retry_storage(action: Callable[[], Result]) -> Result:
    """Does it, and again while storage fails it, for `PATIENCE_SECONDS`; then its OSError is raised."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except OSError as error:
            if error.errno in LASTING or time.monotonic() >= ends:
                raise
            time.sleep(POLL_SECONDS)
