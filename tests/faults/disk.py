"""A small file system that a test can fill to the last byte."""

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


@cache
def may_mount() -> bool:
    """Try whether this user may mount file systems, which tests that fill a disk need."""
    if sys.platform != "linux" or os.geteuid():
        return False
    with tempfile.TemporaryDirectory() as name:
        try:
            SmallDisk(Path(name, "disk"), mebibytes=1).close()
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


class SmallDisk:
    """A file system in memory, mounted at the new folder `path`; `close` unmounts it."""

    def __init__(self, path: Path, mebibytes: int) -> None:
        self.path = path
        path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "none", str(path)]
        subprocess.run(command, check=True, capture_output=True)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Fill the file system to the last byte inside the context."""
        ballast = self.path / ".ballast"
        descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        try:
            for size in (2**20, 2**12, 1):
                self._fill(descriptor, size)
            yield
        finally:
            os.close(descriptor)
            ballast.unlink()

    @staticmethod
    def _fill(descriptor: int, size: int) -> None:
        try:
            while True:
                os.write(descriptor, bytes(size))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
