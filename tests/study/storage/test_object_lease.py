"""Leases in an object store have one holder at a time, also among many processes or after a death."""

import threading
import time

import pytest

from analysis.tables.location import ObjectPath
from study.storage import object_lease
from study.storage.object_lease import ObjectLease, ObjectLeaseQueue
from tests.cluster.object_server import BUCKET, ObjectServer


@pytest.fixture
def store(object_server: ObjectServer) -> ObjectPath:
    return ObjectPath.from_uri(object_server.uri(BUCKET))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_lease, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(object_lease, "DEAD_SECONDS", 2.0)


def waited_for(queue: ObjectLeaseQueue, seconds: float = 30.0) -> ObjectLease:
    ends = time.monotonic() + seconds
    while (lease := queue.acquire()) is None:
        assert time.monotonic() < ends
        time.sleep(0.05)
    return lease


def test_of_many_one_holds_it_and_all_do_in_the_end(store, monkeypatch):
    monkeypatch.setattr(object_lease, "DEAD_SECONDS", 20.0)  # on a busy machine a beat can take seconds
    holding, most, turns, lock = 0, 0, 0, threading.Lock()

    def take_a_turn() -> None:
        nonlocal holding, most, turns
        lease = waited_for(ObjectLeaseQueue(store / "many"), 60)
        with lock:
            holding += 1
            most = max(most, holding)
        time.sleep(0.1)
        with lock:
            holding -= 1
            turns += 1
        lease.release()

    threads = [threading.Thread(target=take_a_turn) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, turns) == (1, 6)
    assert (store / "many").children() == []


def test_who_beats_is_waited_for_and_who_is_silent_is_followed(store, monkeypatch):
    first = waited_for(ObjectLeaseQueue(store / "silent"))
    waiting = ObjectLeaseQueue(store / "silent")
    ends = time.monotonic() + 3.0
    # This is longer than the silence after which a holder counts as dead.
    while time.monotonic() < ends:
        assert waiting.acquire() is None
        time.sleep(0.1)
    assert waiting.holder_is_alive
    # As if the holder's process died, beats end and the claim stays.
    first._released.set()
    first._thread.join()
    second = waited_for(ObjectLeaseQueue(store / "silent"))
    assert len((store / "silent").children()) == 1
    second.release()


def test_a_claim_that_was_slow_to_become_a_lease_is_withdrawn(store, monkeypatch):
    write = ObjectPath.write_text
    monkeypatch.setattr(ObjectPath, "write_text", lambda *given: write(*given) or time.sleep(1.2))
    assert ObjectLeaseQueue(store / "slow").acquire() is None, (
        "another process may have counted the claim as dead and hold the lease"
    )
    assert (store / "slow").children() == []


def test_a_holder_that_was_taken_for_dead_learns_of_it(store):
    first = waited_for(ObjectLeaseQueue(store / "late"))
    # A process that takes over removes the claim of the holder.
    (store / "late" / (store / "late").children()[0]).remove()
    ends = time.monotonic() + 5.0
    while not first.is_lost():
        assert time.monotonic() < ends
        time.sleep(0.05)
    first.release()
