"""Locations of studies and their files: local paths, or URIs of folders and objects in an object store."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath

from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem, copy_files


@dataclass(frozen=True)
class ObjectPath:
    """A file or folder of an object store, with the part of the interface of `pathlib.Path` that studies need.

    `query` is the query of the URI, which configures the connection to the store, as in
    `s3://bucket/studies?endpoint_override=HOST:PORT&scheme=http`. Methods that ask the store raise OSError if it
    refuses or does not answer.
    """

    scheme: str
    path: str  # bucket and key
    query: str = ""

    @classmethod
    def from_uri(cls, uri: str) -> "ObjectPath":
        """Return the path that a URI names. Raises OSError if the URI names no bucket."""
        scheme, _, rest = uri.partition("://")
        path, _, query = rest.partition("?")
        parts = "/".join(filter(None, path.split("/")))
        if not parts:
            raise OSError(f"{uri} names no bucket: give one as {scheme}://BUCKET/FOLDER")
        return cls(scheme, parts, query)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.path}{'?' if self.query else ''}{self.query}"

    def __truediv__(self, name: str) -> "ObjectPath":
        return replace(self, path=f"{self.path}/{name}")

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name

    @property
    def stem(self) -> str:
        """The last part of the path without its suffix."""
        return PurePosixPath(self.path).stem

    @property
    def parent(self) -> "ObjectPath":
        """The folder that contains it."""
        return replace(self, path=str(PurePosixPath(self.path).parent))

    @property
    def store(self) -> FileSystem:
        """pyarrow's file system of the store, to be used with `path`."""
        bucket = self.path.partition("/")[0]
        return _opened(str(replace(self, path=bucket)))

    def resolve(self) -> "ObjectPath":
        """Return itself, because a URI is absolute."""
        return self

    def is_file(self) -> bool:
        """Return whether an object of this name exists."""
        return self._info().type == FileType.File

    def is_dir(self) -> bool:
        """Return whether it is a folder, which in an object store means that it is not empty."""
        return self._info().type == FileType.Directory

    def exists(self) -> bool:
        """Return whether a file or folder of this name exists."""
        return self._info().type != FileType.NotFound

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the object's content. Raises FileNotFoundError if it does not exist."""
        return self.read_bytes().decode(encoding)

    def read_bytes(self) -> bytes:
        """Return the object's content. Raises FileNotFoundError if it does not exist."""
        with self.store.open_input_stream(self.path) as stream:
            return stream.read()

    def write_text(self, content: str, encoding: str = "utf-8") -> None:
        """Write the object atomically: readers see the old content or the new one."""
        stream = self.store.open_output_stream(self.path)
        stream.write(content.encode(encoding))
        stream.close()

    def children(self) -> list[str]:
        """Return the sorted names of the files and folders in the folder; none if it does not exist."""
        infos = self.store.get_file_info(FileSelector(self.path, allow_not_found=True))
        return sorted(info.base_name for info in infos)

    def remove(self) -> None:
        """Remove the file or folder, with all files below it, if it exists."""
        with suppress(FileNotFoundError):
            if self.is_dir():
                self.store.delete_dir(self.path)
            else:
                self.store.delete_file(self.path)

    def upload(self, source: Path) -> None:
        """Upload a local file, or the files of a local folder, to this path; each object is written atomically."""
        copy_files(str(source), self.path, LocalFileSystem(), self.store)

    def download(self, target: Path) -> bool:
        """Copy the object or folder to the local `target` and return True, or return False if it does not exist.

        An existing `target` is replaced. Readers of `target` never see a part of the copy.
        """
        kind = self._info().type
        if kind == FileType.NotFound:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as workplace:
            aside = Path(workplace, "new")
            if kind == FileType.Directory:  # pyarrow creates only the folders below it
                aside.mkdir()
            try:
                copy_files(self.path, str(aside), self.store, LocalFileSystem())
            except FileNotFoundError:  # it was removed in the meantime
                return False
            if target.is_dir():
                shutil.rmtree(target)
            aside.replace(target)
        return True

    def _info(self) -> FileInfo:
        return self.store.get_file_info(self.path)


Location = Path | ObjectPath


def location(text: str) -> Location:
    """Return the location that a path or a URI names. Raises OSError for a URI without a bucket."""
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    return ObjectPath.from_uri(text) if "://" in text else Path(text)


def children(folder: Location) -> list[str]:
    """Return the sorted names of the files and folders in `folder`; none if it does not exist."""
    if isinstance(folder, ObjectPath):
        return folder.children()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@contextmanager
def write_to(target: Location) -> Iterator[Path]:
    """Yield a local path for the caller to write a file at, which replaces `target` when the context ends.

    Readers see the old file or the new one. The path has the suffix of `target`, from which Matplotlib infers a format.
    """
    if isinstance(target, Path):
        aside = target.with_name(f".{target.stem}.tmp{target.suffix}")
        aside.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield aside
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        return
    with tempfile.TemporaryDirectory() as workplace:
        aside = Path(workplace, target.name)
        yield aside
        target.upload(aside)


@contextmanager
def local_copy(source: Location) -> Iterator[Path]:
    """Yield a local path at which the file or folder `source` can be read while the context lasts.

    Nothing exists at that path if `source` does not exist.
    """
    if isinstance(source, Path):
        yield source
        return
    with tempfile.TemporaryDirectory() as workplace:
        aside = Path(workplace, source.name)
        source.download(aside)
        yield aside


@cache
def _opened(uri: str) -> FileSystem:
    """Return pyarrow's file system for a URI. Raises OSError also if pyarrow does not know this kind of store."""
    try:
        return FileSystem.from_uri(uri)[0]
    except (ValueError, NotImplementedError, ImportError) as error:
        raise OSError(f"{uri} cannot be opened: {error}") from error
