"""Leases in an object store: one process holds the lease, and another takes over when the holder dies.

Object stores list a folder as it is at that moment, but pyarrow cannot create an object only if it does not exist.
A process that wants the lease therefore writes a claim of its own and then looks for other claims: if two processes
claim at once, each sees the other's claim, and both withdraw. The holder rewrites its claim every two seconds. Waiting
processes time the silence with their own clock.
"""

import random
import threading
import time
import uuid
from contextlib import suppress

from analysis.tables.location import ObjectPath

BEAT_SECONDS = 2.0
DEAD_SECONDS = 20.0  # a holder that is silent for this long counts as dead
CLAIM = "lease-"


class ObjectLease:
    """A lease that this process holds; a background thread rewrites its claim until the lease is released."""

    def __init__(self, claim: ObjectPath) -> None:
        self._claim = claim
        self._lost = False
        self._beaten_at = _now()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {claim}", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stops the beats and lets the next waiting process acquire the lease at once."""
        self._released.set()
        self._thread.join()
        with suppress(OSError):  # the waiting processes then wait until the holder counts as dead
            self._claim.remove()

    def is_lost(self) -> bool:
        """Return whether another process counted this holder as dead and removed its claim.

        Raises OSError if the store does not answer after this process was silent for long.
        """
        was_silent = _now() - self._beaten_at > DEAD_SECONDS / 2  # the process or its machine was suspended
        if was_silent and not self._lost:
            self._lost = not self._claim.is_file()
        return self._lost

    def _beat(self) -> None:
        beats = 0
        while not self._released.wait(BEAT_SECONDS) and not self._lost:
            beats += 1
            with suppress(OSError):  # the next beat may succeed; if none does, another process takes over
                started = _now()
                if not self._claim.is_file():
                    self._lost = True
                    return
                self._claim.write_text(str(beats))
                if _now() - started > DEAD_SECONDS / 2 and len(_claims(self._claim.parent)) > 1:
                    self._lost = True  # this process was suspended while another one took the lease
                    self._claim.remove()
                self._beaten_at = started


class ObjectLeaseQueue:
    """Acquires the lease of a folder for one waiting process, which calls `acquire` until it returns a lease.

    The queue remembers what it saw of other claims, so every waiting process or thread needs an instance of its own.
    """

    def __init__(self, folder: ObjectPath) -> None:
        self._folder = folder
        self._claim = folder / f"{CLAIM}{uuid.uuid4().hex}"
        self._seen: dict[
            str, tuple[str, float]
        ] = {}  # name of a claim -> its content, and when that was first seen
        self.holder_is_alive = False  # whether the claim of a holder changed while this process waited

    def acquire(self) -> ObjectLease | None:
        """Return the lease, or None while another process holds it; then call again after about a second.

        Raises OSError if the store does not answer.
        """
        if self._is_held():
            return None
        claimed_at = _now()
        self._claim.write_text("0")
        # A claim that did not become a lease for so long may already count as dead and be removed by another process.
        if self._is_held() or _now() - claimed_at > DEAD_SECONDS / 2:
            self._claim.remove()
            # Otherwise the same two processes would collide again and again.
            time.sleep(random.uniform(0, 0.5))
            return None
        return ObjectLease(self._claim)

    def _is_held(self) -> bool:
        """Return whether a living process has another claim; claims of dead processes are removed."""
        others = [name for name in _claims(self._folder) if name != self._claim.name]
        # A list, so that every claim is read: the silence of a claim is timed from its first reading.
        alive = [self._is_alive(name) for name in others]
        return any(alive)

    def _is_alive(self, name: str) -> bool:
        now = _now()
        try:
            content = (self._folder / name).read_text()
        except FileNotFoundError:  # the holder released it in between
            return False
        except OSError:  # it was removed or rewritten while it was read; the next call decides
            return True
        content_before, since = self._seen.get(name, (None, now))
        if content != content_before:
            self.holder_is_alive = self.holder_is_alive or content_before is not None
            self._seen[name] = content, now
            return True
        if now - since < DEAD_SECONDS:
            return True
        (self._folder / name).remove()
        return False


def _claims(folder: ObjectPath) -> list[str]:
    return [name for name in folder.children() if name.startswith(CLAIM)]


def _now() -> float:
    """Return the seconds since the machine started, including the time during which it was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
