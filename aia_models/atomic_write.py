"""Files and folders that readers see whole or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a hidden path in the folder of `path` for the caller to write a file at, which then replaces `path`.

    Readers see the old file or the new one. Where the caller raises, what it wrote is removed and `path` stays as it
    was. OSError where the folder does not exist or takes no file.
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
