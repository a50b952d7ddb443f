"""A study's files, as a process that works on the study sees them."""

import atexit
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.tables.location import Location, ObjectPath, children, location


@dataclass(frozen=True)
class StudyStorage:
    """The files of one study: a directory, or this process's local copy of a folder in object storage.

    All files are read and written below `directory`. If the study lies in object storage, at `remote`, files have to be
    downloaded before they are read and uploaded after they are written; otherwise downloads and uploads do nothing.
    Names are paths relative to the study. Methods raise OSError if the storage fails.
    """

    directory: Path
    remote: ObjectPath | None = None

    def __str__(self) -> str:
        return str(self.location)

    @property
    def shell_argument(self) -> str:
        """The study's path or URI, quoted for a shell."""
        return shlex.quote(str(self))

    @property
    def location(self) -> Location:
        """The path or URI at which every process finds the study."""
        return self.remote or self.directory

    def location_of(self, path: Path) -> Location:
        """Return the path or URI at which every process finds the local file `path`."""
        return self.location / path.relative_to(self.directory).as_posix()

    def make_folder(self, name: str) -> Path:
        """Create the local folder `name` of the study unless it exists, and return its path.

        Raises FileNotFoundError if the study's directory is missing. The directory is not created, because a storage
        that went away comes back without the files of a new directory of the same name.
        """
        path = self.directory
        for part in name.split("/"):
            path /= part
            path.mkdir(exist_ok=True)
        return path

    def download(self, name: str) -> Path:
        """Replace the local copy of a file or folder by its current state, and return the local path.

        Nothing exists at that path if the study has no such file.
        """
        if self.remote and not (self.remote / name).download(self.directory / name):
            _remove(self.directory / name)
        return self.directory / name

    def download_missing(self, folder: str) -> None:
        """Download the files directly in `folder` that have no local copy; only for files that never change."""
        if self.remote:
            for name in set((self.remote / folder).children()) - set(children(self.directory / folder)):
                self.download(f"{folder}/{name}")

    def upload(self, name: str, source: Path | None = None) -> None:
        """Make a local file or folder visible to other processes, with the content of `source` if that is given."""
        if self.remote:
            (self.remote / name).upload(source or self.directory / name)

    def upload_and_drop(self, name: str) -> None:
        """Upload a file or folder that this process needs no longer, and remove its local copy."""
        if self.remote:
            self.upload(name)
            self.drop_local_copy(name)

    def drop_local_copy(self, name: str) -> None:
        """Remove the local copy of a file or folder in object storage; a study on a file system keeps its file."""
        if self.remote:
            _remove(self.directory / name)

    def remove(self, name: str) -> None:
        """Remove a file or folder for all processes, if it exists."""
        _remove(self.directory / name)
        if self.remote:
            (self.remote / name).remove()

    def exists(self, name: str) -> bool:
        """Return whether the study has a file or folder `name` that every process finds."""
        return (self.location / name).exists()

    def list_folder(self, folder: str) -> list[str]:
        """Return the names of the files in `folder` that every process finds, sorted."""
        return children(self.location / folder)


@cache
def open_storage(text: str) -> StudyStorage:
    """Return the storage of the study at a path or URI.

    For object storage this process makes one local copy, which is removed when the process ends.
    """
    study = location(text)
    if isinstance(study, Path):
        return StudyStorage(study)
    copy = Path(tempfile.mkdtemp(prefix=f"aia-study-{study.name}-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return StudyStorage(copy, study)


def _remove(path: Path) -> None:
    """Remove a file or folder atomically: a folder is renamed before it is deleted, so no reader sees a part of it."""
    aside = path.with_name(f".{path.name}.removed")
    shutil.rmtree(aside, ignore_errors=True)  # left by a process that died during a removal
    if path.is_dir():
        path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
