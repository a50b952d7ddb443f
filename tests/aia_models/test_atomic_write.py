"""Files and folders that readers see as a whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aia_models.atomic_write import atomic_folder, atomic_write


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(path: Path, text: str) -> None:
    with atomic_folder(path) as folder:
        (folder / "content").write_text(text)


def test_a_file_appears_and_replaces_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for text in ("old", "new"):
        with atomic_write(path) as aside:
            aside.write_text(text)
            assert not path.exists() or path.read_text() == "old"
        assert path.read_text() == text
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("written", ["nothing", "a file", "a folder"])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, written: str) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write(aside: Path) -> None:
        if written == "a file":
            aside.write_text("half of the n")
        elif written == "a folder":
            aside.mkdir()
            (aside / "part").write_text("half of the n")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), atomic_write(path) as aside:
        write(aside)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_parallel_writers_leave_the_whole_content_of_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    texts = [str(writer) * 100_000 for writer in range(8)]

    def write(text: str) -> None:
        for _ in range(20):
            with atomic_write(path) as aside:
                aside.write_text(text)
            assert path.read_text() in texts

    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(write, texts))
    assert path.read_text() in texts
    assert names(tmp_path) == ["file"]


def test_a_missing_parent_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "missing" / "file") as aside:
        aside.write_text("new")
    with pytest.raises(FileNotFoundError):
        fill(tmp_path / "missing" / "folder", "new")


def test_a_file_never_replaces_a_folder_with_files(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    fill(path, "old")
    with pytest.raises(OSError, match="folder"), atomic_write(path) as aside:
        aside.write_text("new")
    assert (path / "content").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_a_folder_appears_and_replaces_an_earlier_one_with_all_its_files(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    fill(path, "old")
    (path / "further").write_text("old")
    fill(path, "new")
    assert (path / "content").read_text() == "new"
    assert (names(path), names(tmp_path)) == (["content"], ["folder"])


def test_an_error_leaves_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    fill(path, "old")

    def fail(folder: Path) -> None:
        (folder / "content").write_text("half of the n")
        raise RuntimeError

    with pytest.raises(RuntimeError), atomic_folder(path) as folder:
        fail(folder)
    assert (path / "content").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_the_old_folder_returns_where_the_new_one_cannot_take_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from os import replace

    path = tmp_path / "folder"
    fill(path, "old")

    def fail_for_the_new_one(source: Path, target: Path) -> None:
        if target == path and (source / "content").read_text() == "new":
            raise OSError("no space left")
        replace(source, target)

    monkeypatch.setattr("os.replace", fail_for_the_new_one)
    with pytest.raises(OSError, match="no space left"):
        fill(path, "new")
    assert (path / "content").read_text() == "old"
    assert names(tmp_path) == ["folder"]
