"""If the storage fails for a while, some actions wait for it, and each for a limited time."""

import errno

import pytest

from study.storage import retry
from study.storage.retry import is_writable, retry_storage, wait_until_writable
from study.storage.study_storage import StudyStorage


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Install a clock that advances only when the code sleeps."""
    now = [0.0]
    monkeypatch.setattr(retry.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(retry.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_a_directory_takes_files_or_is_not_there(tmp_path):
    assert is_writable(StudyStorage(tmp_path))
    assert list(tmp_path.iterdir()) == [], "no probe is left"
    assert not is_writable(StudyStorage(tmp_path / "gone"))


def test_it_waits_until_the_storage_is_back(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(retry, "is_writable", lambda directory: clock[0] >= 30)
    assert wait_until_writable(StudyStorage(tmp_path))
    assert clock[0] == 30


def test_it_waits_for_two_minutes_at_most(tmp_path, clock):
    assert not wait_until_writable(StudyStorage(tmp_path / "gone"))
    assert clock[0] == 120


def test_an_action_is_done_again_until_storage_takes_it(clock):
    failures = [OSError(errno.EIO, "Input/output error")] * 3

    def action() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert retry_storage(action) == "done"
    assert clock[0] == 3


@pytest.mark.parametrize(("number", "waited"), [(errno.ENOSPC, 120), (errno.EACCES, 0), (errno.EROFS, 0)])
def test_what_lasts_is_told_at_once_and_the_rest_after_two_minutes(clock, number, waited):
    def action() -> None:
        raise OSError(number, "no")

    with pytest.raises(OSError, match="no"):
        retry_storage(action)
    assert clock[0] == waited
