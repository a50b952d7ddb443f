"""Object storage behaves like paths, on a local S3 server; tests of whole studies cover the rest."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.tables.location import ObjectPath, children, local_copy, location, write_to
from tests.cluster.object_server import BUCKET, CREDENTIALS, ObjectServer


@pytest.fixture(scope="module")
def bucket() -> Iterator[ObjectPath]:
    before = dict(os.environ)
    os.environ.update(CREDENTIALS)
    server = ObjectServer()
    yield ObjectPath.from_uri(server.uri(BUCKET))
    server.close()
    os.environ.clear()
    os.environ.update(before)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "below/b", "below/deeper/c"]])
def test_a_folder_comes_back_as_it_went(bucket, tmp_path, names):
    for name in names:
        (tmp_path / "there" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "there" / name).write_bytes(os.urandom(1000))
    folder = bucket / "folders" / str(len(names))
    folder.upload(tmp_path / "there")
    assert folder.is_dir()
    assert folder.download(tmp_path / "back")
    assert content(tmp_path / "back") == content(tmp_path / "there")
    folder.remove()
    assert not folder.exists()
    assert folder.children() == []


def test_what_is_there_already_is_replaced_and_what_is_nowhere_is_left(bucket, tmp_path):
    (bucket / "one" / "new").write_text("new")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "old").write_text("old")
    assert (bucket / "one").download(tmp_path / "copy")
    assert content(tmp_path / "copy") == {"new": b"new"}
    assert not (bucket / "none").download(tmp_path / "copy")
    assert content(tmp_path / "copy") == {"new": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_an_emptied_folder_is_an_empty_folder(bucket, tmp_path):
    (bucket / "emptied" / "file").write_text("x")
    (bucket / "emptied" / "file").remove()
    assert (bucket / "emptied").children() == []
    assert (bucket / "emptied").download(tmp_path / "emptied")
    assert (tmp_path / "emptied").is_dir()
    assert content(tmp_path / "emptied") == {}


def test_files_are_written_and_read_where_they_lie(bucket, tmp_path):
    for folder in (bucket / "either", tmp_path):
        with write_to(folder / "file.txt") as path:
            path.write_text("content")
        assert (folder / "file.txt").read_text() == "content"
        assert children(folder) == ["file.txt"]
        with local_copy(folder / "file.txt") as path:
            assert path.read_text() == "content"
        with local_copy(folder / "none") as path:
            assert not path.exists()


def test_a_uri_keeps_what_says_where_its_store_is():
    study = location("s3://bucket/studies/?endpoint_override=host:9000&scheme=http") / "quick-1"
    assert str(study) == "s3://bucket/studies/quick-1?endpoint_override=host:9000&scheme=http"
    assert str(study.parent) == "s3://bucket/studies?endpoint_override=host:9000&scheme=http"
    assert study.name == "quick-1"
    assert location(str(study)) == study
    assert location("file:///studies") == Path("/studies")


def test_a_uri_without_a_bucket_names_nothing():
    with pytest.raises(OSError, match="s3:// names no bucket: give one as s3://BUCKET/FOLDER"):
        location("s3://")
    assert str(location("s3://bucket//studies//x/")) == "s3://bucket/studies/x"


def test_what_is_missing_or_of_an_unknown_kind_is_an_os_error(bucket):
    with pytest.raises(FileNotFoundError):
        (bucket / "none").read_text()
    with pytest.raises(OSError, match="nowhere://faces"):
        ObjectPath.from_uri("nowhere://faces/studies").exists()
