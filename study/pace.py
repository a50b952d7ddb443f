"""How often something is saved that costs time."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

MOST_SHARE = 0.05  # of the time that saving may take; what comes too early for that is not saved


class Pace:
    """Of one thing that is saved again and again: the first time at once, then as `MOST_SHARE` allows."""

    def __init__(self) -> None:
        self._next_at = -math.inf

    def is_due(self) -> bool:
        """Whether enough time has passed since the last save."""
        return time.monotonic() >= self._next_at

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Takes the time of a save."""
        started = time.monotonic()
        yield
        ended = time.monotonic()
        self._next_at = ended + (ended - started) * (1 - MOST_SHARE) / MOST_SHARE
