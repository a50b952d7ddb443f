"""Where a study lies: a local directory, or a folder of an object store under a URI."""

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
    """A file or folder of an object store, with as much of `pathlib.Path` as a study needs.

    `query` is that of its URI, which says where the store is and not what lies there, as in
    `s3://bucket/studies?endpoint_override=HOST:PORT&scheme=http`. Every method that asks the store raises OSError where
    it does not answer or refuses.
    """

    scheme: str
    path: str  # bucket and key
    query: str = ""

    @classmethod
    def parsed(cls, uri: str) -> "ObjectPath":
        """From a URI; OSError for one that names nothing."""
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
        """The last part of the path without what its name ends in."""
        return PurePosixPath(self.path).stem

    @property
    def parent(self) -> "ObjectPath":
        """The folder that it lies in."""
        return replace(self, path=str(PurePosixPath(self.path).parent))

    @property
    def store(self) -> FileSystem:
        """pyarrow's file system, which knows it as `path`."""
        bucket = self.path.partition("/")[0]
        return _opened(str(replace(self, path=bucket)))

    def resolve(self) -> "ObjectPath":
        """Itself: a URI is absolute."""
        return self

    def is_file(self) -> bool:
        """Whether an object of this name is there."""
        return self._info().type == FileType.File

    def is_dir(self) -> bool:
        """Whether anything lies below it."""
        return self._info().type == FileType.Directory

    def exists(self) -> bool:
        """Whether anything is there."""
        return self._info().type != FileType.NotFound

    def read_text(self, encoding: str = "utf-8") -> str:
        """The object's content; FileNotFoundError where it is not there."""
        return self.read_bytes().decode(encoding)

    def read_bytes(self) -> bytes:
        """The object's content; FileNotFoundError where it is not there."""
        with self.store.open_input_stream(self.path) as stream:
            return stream.read()

    def write_text(self, content: str, encoding: str = "utf-8") -> None:
        """Puts the object, which appears whole."""
        stream = self.store.open_output_stream(self.path)
        stream.write(content.encode(encoding))
        stream.close()

    def children(self) -> list[str]:
        """Names of what lies in the folder; none where it is not there."""
        found = self.store.get_file_info(FileSelector(self.path, allow_not_found=True))
        return sorted(info.base_name for info in found)

    def remove(self) -> None:
        """Takes it away with all below it; nothing where nothing is there."""
        with suppress(FileNotFoundError):
            if self.is_dir():
                self.store.delete_dir(self.path)
            else:
                self.store.delete_file(self.path)

    def upload(self, source: Path) -> None:
        """Puts a local file, or a folder's files, here; each object appears whole."""
        copy_files(str(source), self.path, LocalFileSystem(), self.store)

    def download(self, target: Path) -> bool:
        """Copies the object or folder to the local `target`, which appears whole; False where it is not there."""
        kind = self._info().type
        if kind == FileType.NotFound:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as workplace:
            aside = Path(workplace, "new")
            if kind == FileType.Directory:  # pyarrow makes those below it
                aside.mkdir()
            try:
                copy_files(self.path, str(aside), self.store, LocalFileSystem())
            except FileNotFoundError:  # it went in between
                return False
            if target.is_dir():
                shutil.rmtree(target)
            aside.replace(target)
        return True

    def _info(self) -> FileInfo:
        return self.store.get_file_info(self.path)


Location = Path | ObjectPath


def location(text: str) -> Location:
    """What a path or a URI names."""
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    return ObjectPath.parsed(text) if "://" in text else Path(text)


def children(folder: Location) -> list[str]:
    """Names of what lies in a folder, in order; none where it is not there."""
    if isinstance(folder, ObjectPath):
        return folder.children()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@contextmanager
def written(target: Location) -> Iterator[Path]:
    """A local path to write a file to, which is whole at `target` when the context ends."""
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
def here(source: Location) -> Iterator[Path]:
    """A local path at which a file or folder can be read; nothing lies there where it does not at `source`."""
    if isinstance(source, Path):
        yield source
        return
    with tempfile.TemporaryDirectory() as workplace:
        aside = Path(workplace, source.name)
        source.download(aside)
        yield aside


@cache
def _opened(uri: str) -> FileSystem:
    """OSError also where pyarrow knows no such kind of store."""
    try:
        return FileSystem.from_uri(uri)[0]
    except (ValueError, NotImplementedError, ImportError) as error:
        raise OSError(f"{uri} cannot be opened: {error}") from error
