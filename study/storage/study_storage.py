"""Where a study lies, for a process that works on it: a directory, or its copy of what it needs of object storage."""

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
    """Files are read and written below `directory`; where that is a copy of `remote`, they come from and go there.

    Without `remote` the directory is the study's own, and nothing needs to be fetched or published. Names are relative
    to the study. OSError where storage fails.
    """

    directory: Path
    remote: ObjectPath | None = None

    def __str__(self) -> str:
        return str(self.location)

    @property
    def argument(self) -> str:
        """The study as a shell takes it."""
        return shlex.quote(str(self))

    @property
    def location(self) -> Location:
        """Where others find the study."""
        return self.remote or self.directory

    def folder(self, name: str) -> Path:
        """A folder of the study, made where it is missing.

        FileNotFoundError where the study is not there: its storage went away, and comes back without what is written
        to another directory of that name.
        """
        path = self.directory
        for part in name.split("/"):
            path /= part
            path.mkdir(exist_ok=True)
        return path

    def fetch(self, name: str) -> Path:
        """The file or folder as it is now; nothing lies at the path where there is none."""
        if self.remote and not (self.remote / name).download(self.directory / name):
            _remove(self.directory / name)
        return self.directory / name

    def fetch_missing(self, folder: str) -> None:
        """What lies directly in `folder` and not here yet: files that are never rewritten."""
        if self.remote:
            for name in set((self.remote / folder).children()) - set(children(self.directory / folder)):
                self.fetch(f"{folder}/{name}")

    def publish(self, name: str, source: Path | None = None) -> None:
        """Lets others see the file, or the files of a folder, as they are here, or as `source` is."""
        if self.remote:
            (self.remote / name).upload(source or self.directory / name)

    def hand_over(self, name: str) -> None:
        """As `publish`, for what this process needs no more."""
        if self.remote:
            self.publish(name)
            self.drop(name)

    def drop(self, name: str) -> None:
        """Takes away this process's copy of what lies in object storage."""
        if self.remote:
            _remove(self.directory / name)

    def remove(self, name: str) -> None:
        """Takes a file or folder away, here and for others; nothing where there is none."""
        _remove(self.directory / name)
        if self.remote:
            (self.remote / name).remove()

    def has(self, name: str) -> bool:
        """Whether others find something of that name."""
        return (self.location / name).exists()

    def names(self, folder: str) -> list[str]:
        """What others find in a folder."""
        return children(self.location / folder)


@cache
def open_storage(text: str) -> StudyStorage:
    """The study at a path or URI, of which this process has one copy, until it ends."""
    where = location(text)
    if isinstance(where, Path):
        return StudyStorage(where)
    copy = Path(tempfile.mkdtemp(prefix=f"aia-study-{where.name}-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return StudyStorage(copy, where)


def _remove(path: Path) -> None:
    """A reader finds a folder whole or not at all."""
    aside = path.with_name(f".{path.name}.removed")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that died in here
    if path.is_dir():
        path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
