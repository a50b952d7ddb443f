"""Files and folders that readers see as a whole or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside `path`, at which the caller writes a file or a folder that then becomes `path`.

    A file replaces an earlier one: readers see the old file or the new one. Where the caller raises, whatever it has
    written is removed and `path` stays as it was. Raises OSError where the parent folder does not exist or cannot be
    written to, and where `path` is a folder that holds files.
    """
    aside = _hidden_beside(path)
    try:
        yield aside
        os.replace(aside, path)
    except BaseException:
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty hidden folder beside `path` for the caller to fill, which then replaces `path` or appears there.

    Readers see the old folder, for an instant none, then the new one. Where the caller raises, the old folder stays.
    Raises OSError where the parent folder does not exist or cannot be written to.
    """
    old = _hidden_beside(path)
    try:
        with atomic_write(path) as aside:
            aside.mkdir()
            yield aside
            if path.exists():
                os.replace(path, old)
    except BaseException:
        if old.exists():
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _hidden_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
