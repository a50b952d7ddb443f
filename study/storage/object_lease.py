"""A lease in an object store: one holder at a time, and another takes over where the holder died.

Object stores say what lies in a folder as it is at that moment, but pyarrow cannot put an object only where none is.
So who wants the lease puts a claim of its own and then looks for others: of two that claim at once neither overlooks
the other, and both withdraw. The holder keeps changing its claim; who waits watches it by a clock of its own.
"""

import random
import threading
import time
import uuid
from contextlib import suppress

from analysis.tables.location import ObjectPath

BEAT_SECONDS = 2.0
DEAD_SECONDS = 20.0  # without a beat
CLAIM = "lease-"


class ObjectLease:
    """The holder's side: beats until it is released."""

    def __init__(self, claim: ObjectPath) -> None:
        self._claim = claim
        self._lost = False
        self._beaten_at = _now()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {claim}", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Stops beating and lets the next one in at once."""
        self._released.set()
        self._thread.join()
        with suppress(OSError):  # the others then wait until it counts as dead
            self._claim.remove()

    def is_lost(self) -> bool:
        """Whether another took it for dead. OSError where that cannot be found out after a silence."""
        stood_still = _now() - self._beaten_at > DEAD_SECONDS / 2  # this process, or its machine
        if stood_still and not self._lost:
            self._lost = not self._claim.is_file()
        return self._lost

    def _beat(self) -> None:
        beats = 0
        while not self._released.wait(BEAT_SECONDS) and not self._lost:
            beats += 1
            with suppress(OSError):  # the next beat may get through; without any another takes over
                began = _now()
                if not self._claim.is_file():
                    self._lost = True
                    return
                self._claim.write_text(str(beats))
                if _now() - began > DEAD_SECONDS / 2 and len(_claims(self._claim.parent)) > 1:
                    self._lost = True  # it came back to life after another had followed
                    self._claim.remove()
                self._beaten_at = began


class ObjectLeaseQueue:
    """The waiting side: `acquire` until it gives a lease. One instance for each who waits."""

    def __init__(self, folder: ObjectPath) -> None:
        self._folder = folder
        self._claim = folder / f"{CLAIM}{uuid.uuid4().hex}"
        self._seen: dict[str, tuple[str, float]] = {}  # by claim: its content, and since when it is that
        self.beaten = False  # whether a holder's claim changed while this one waited

    def acquire(self) -> ObjectLease | None:
        """The lease, or None while another holds it; to be called again within a second or so. OSError where the store
        does not answer."""
        if self._held():
            return None
        self._claim.write_text("0")
        if self._held():
            self._claim.remove()
            time.sleep(random.uniform(0, 0.5))  # else two would meet again and again
            return None
        return ObjectLease(self._claim)

    def _held(self) -> bool:
        """Whether there is another claim, those aside whose holders are dead: they are removed."""
        others = [name for name in _claims(self._folder) if name != self._claim.name]
        # Each is looked at, else its silence would not count.
        alive = [self._is_alive(name) for name in others]
        return any(alive)

    def _is_alive(self, name: str) -> bool:
        now = _now()
        try:
            content = (self._folder / name).read_text()
        except FileNotFoundError:  # released in between
            return False
        except OSError:  # released or changed while it was read: the next look tells
            return True
        before, since = self._seen.get(name, (None, now))
        if content != before:
            self.beaten = self.beaten or before is not None
            self._seen[name] = content, now
            return True
        if now - since < DEAD_SECONDS:
            return True
        (self._folder / name).remove()
        return False


def _claims(folder: ObjectPath) -> list[str]:
    return [name for name in folder.children() if name.startswith(CLAIM)]


def _now() -> float:
    """Seconds, those counted during which the machine was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
