"""Leases on a file system have one holder at a time, also among processes; a killed holder is succeeded."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from study.storage import lease
from study.storage.lease import LeaseQueue

HOLD = """
import sys, time
from pathlib import Path
from study.storage.lease import LeaseQueue
held = LeaseQueue(Path(sys.argv[1])).acquire()
print("got it" if held else "refused", flush=True)
time.sleep(float(sys.argv[2]))
"""


def holder(folder: Path, seconds: float) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )


def said(process: subprocess.Popen) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def waited_for(queue: LeaseQueue, at_most: float = 30.0) -> lease.Lease:
    end = time.monotonic() + at_most
    while time.monotonic() < end:
        if held := queue.acquire():
            return held
        time.sleep(0.05)
    raise AssertionError("no lease in time")


def test_of_many_processes_one_gets_it(tmp_path):
    processes = [holder(tmp_path, 30) for _ in range(6)]
    try:
        assert sorted(said(process) for process in processes) == ["got it", *["refused"] * 5]
    finally:
        for process in processes:
            process.kill()


def test_a_killed_holder_is_followed_by_one_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "DEAD_SECONDS", 3.0)
    process = holder(tmp_path, 60)
    assert said(process) == "got it"
    waiting = [LeaseQueue(tmp_path) for _ in range(4)]
    assert [queue.acquire() for queue in waiting] == [None] * 4
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = waited_for(waiting[0])
    assert [queue.acquire() for queue in waiting[1:]] == [None] * 3
    first.release()


def test_a_holder_that_lives_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "DEAD_SECONDS", 4.0)
    process = holder(tmp_path, 60)
    try:
        assert said(process) == "got it"
        queue, end = LeaseQueue(tmp_path), time.monotonic() + 8.0
        while time.monotonic() < end:
            assert queue.acquire() is None
            time.sleep(0.2)
    finally:
        process.kill()


def test_what_is_released_is_free_at_once(tmp_path):
    first = LeaseQueue(tmp_path).acquire()
    waiting = LeaseQueue(tmp_path)
    assert first is not None
    assert waiting.acquire() is None
    first.release()
    second = waiting.acquire()
    assert second is not None
    assert LeaseQueue(tmp_path).acquire() is None
    second.release()


def test_a_holder_that_comes_back_late_takes_nothing_from_its_follower(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "DEAD_SECONDS", 1.0)
    # The holder sends no beat, like a process that is stopped.
    monkeypatch.setattr(lease, "BEAT_SECONDS", 3600.0)
    late = LeaseQueue(tmp_path).acquire()
    assert late is not None
    follower = waited_for(LeaseQueue(tmp_path))
    late.release()
    assert LeaseQueue(tmp_path).acquire() is None
    follower.release()


@pytest.mark.parametrize("content", ["", "17"])
def test_what_a_dead_holder_left_counts_from_when_it_is_first_seen(tmp_path, monkeypatch, content):
    monkeypatch.setattr(lease, "DEAD_SECONDS", 0.3)
    (tmp_path / "lease-000004").write_text(content)
    queue = LeaseQueue(tmp_path)
    assert queue.acquire() is None
    held = waited_for(queue)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lease-000004", "lease-000005"]
    held.release()


def test_a_folder_that_is_removed_is_made_again(tmp_path, monkeypatch):
    folder = tmp_path / "key"
    first, waiting = LeaseQueue(folder).acquire(), LeaseQueue(folder)
    assert first is not None
    assert waiting.acquire() is None
    shutil.rmtree(folder)
    first.release()
    second = waiting.acquire()
    assert second is not None
    second.release()

    # The file vanishes between listing and reading.
    monkeypatch.setattr(Path, "read_text", _gone)
    assert waiting.acquire() is None


def _gone(path: Path) -> str:
    raise FileNotFoundError(path)
