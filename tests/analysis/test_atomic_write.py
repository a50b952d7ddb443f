"""Files and folders that `atomic_write` puts in place whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis.atomic_write import atomic_write


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_half_a_file(path: Path, error: BaseException) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text("ne")
        raise error


def write_half_a_folder(path: Path, error: BaseException) -> None:
    with atomic_write(path) as temporary:
        temporary.mkdir()
        (temporary / "config.json").touch()
        raise error


def test_a_file_appears_at_the_end_of_the_block_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == tmp_path, "a rename within one file system is atomic"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["report.html"]


def test_readers_see_the_old_file_until_the_end_of_the_block(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_no_leftovers(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(error):
        write_half_a_file(path, error())
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.html"]


def test_an_error_before_anything_is_written_is_raised_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to write"), atomic_write(tmp_path / "report.html"):
        raise ValueError("nothing to write")
    assert names(tmp_path) == []


def test_a_block_that_writes_nothing_is_an_error_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_write(path):
        pass
    assert path.read_text() == "old"


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    with atomic_write(path) as temporary:
        temporary.mkdir()
        for name in ("config.json", "model.safetensors"):
            (temporary / name).touch()
        assert not path.exists()
    assert names(path) == ["config.json", "model.safetensors"]
    assert names(tmp_path) == ["checkpoint"]


def test_an_error_removes_a_folder_that_is_written_in_part(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="half"):
        write_half_a_folder(tmp_path / "checkpoint", ValueError("half"))
    assert names(tmp_path) == []


def test_of_parallel_writers_one_whole_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    contents = [f"{writer}" * 100_000 for writer in range(8)]

    def write(content: str) -> None:
        with atomic_write(path) as temporary, temporary.open("w") as file:
            for start in range(0, len(content), 1000):
                file.write(content[start : start + 1000])

    with ThreadPoolExecutor(len(contents)) as writers:
        list(writers.map(write, contents))
    assert path.read_text() in contents
    assert names(tmp_path) == ["report.html"]


def test_a_folder_that_does_not_exist_is_an_os_error(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match="nowhere"),
        atomic_write(tmp_path / "nowhere" / "page.html") as temporary,
    ):
        temporary.write_text("new")
    assert names(tmp_path) == []
