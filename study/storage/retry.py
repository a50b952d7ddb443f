"""Storage that fails for a while: tests whether it can be written, waits for it, and repeats actions."""

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
PERMANENT_ERRORS = (errno.EACCES, errno.EPERM, errno.EROFS)  # waiting does not help
Result = TypeVar("Result")


def is_writable(storage: StudyStorage) -> bool:
    """Return whether a file as large as a checkpoint can be written to the study."""
    name = f".probe-{os.uname().nodename}-{os.getpid()}-{threading.get_ident()}"
    probe = storage.directory / name
    try:
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        storage.upload(name)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            storage.remove(name)
    return True


def wait_until_writable(storage: StudyStorage) -> bool:
    """Wait up to `PATIENCE_SECONDS` until the study can be written, and return whether it can."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_writable(storage):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def retry_storage(action: Callable[[], Result]) -> Result:
    """Return what `action` returns, repeating it after an OSError for up to `PATIENCE_SECONDS`.

    Raises the last OSError after that time, and one of `PERMANENT_ERRORS` at once.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return action()
        except OSError as error:
            if error.errno in PERMANENT_ERRORS or time.monotonic() >= deadline:
                raise
            time.sleep(POLL_SECONDS)
