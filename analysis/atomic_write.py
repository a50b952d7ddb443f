"""Writes files and folders atomically: readers see the old content or the new one, never a part of it."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a hidden temporary path beside `path`; what the caller writes there replaces `path` at the end of the
    block.

    Readers see the old content of `path` or the new one. If the block raises, what it wrote is removed and `path`
    stays as it was. Raises OSError where the parent folder does not exist or is not writable. A folder can be written
    the same way where `path` does not exist yet or is an empty folder.
    """
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield aside
        os.replace(aside, path)
    except BaseException:
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)
        raise
