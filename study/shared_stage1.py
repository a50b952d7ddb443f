"""Stage 1, trained once by whichever trial comes first and taken by all others that agree on it.

`<study>/stage1/<key>/` holds the result and the leases of those who trained it. A trial that holds a lease is running
and waits for nothing: trials that wait for it, whatever they hold, cannot keep it from ending.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from aia_models.errors import DivergedError
from aia_models.stage1 import Stage1, capture, load, restore, save
from aia_models.training import EpochRecord, Trainer
from study.lease import Lease, LeaseQueue

POLL_SECONDS = 0.1
RESULT = "stage1.safetensors"


class SharedStage1:
    """One trial's stage 1; `reused` and `wait_seconds` hold once `run` has ended, also where it raised."""

    def __init__(self, store: Path, key: str) -> None:
        self.key = key
        self.reused = False
        self.wait_seconds = 0.0
        self._folder = store / key

    def run(self, trainer: Trainer) -> Iterator[EpochRecord]:
        """The epochs of stage 1, after which `trainer` stands at its end.

        DivergedError where stage 1 diverges: who finds another's trial did so raises the same at once.
        """
        found = self._result_or_lease()
        if isinstance(found, Stage1):
            yield from self._take(trainer, found)
        else:
            yield from self._train(trainer, found)

    def _result_or_lease(self) -> Stage1 | Lease:
        queue, started = LeaseQueue(self._folder), time.monotonic()
        while not (self._folder / RESULT).exists():
            lease = queue.acquire()
            if lease is not None and not (self._folder / RESULT).exists():
                return lease
            if lease is not None:  # its last holder put the result there and let go in between
                lease.release()
                break
            time.sleep(POLL_SECONDS)
            self.wait_seconds = time.monotonic() - started
        return load(self._folder / RESULT)

    def _take(self, trainer: Trainer, stage1: Stage1) -> Iterator[EpochRecord]:
        self.reused = True
        if stage1.error is None:
            restore(trainer, stage1)
        yield from stage1.records
        if stage1.error is not None:
            raise DivergedError(stage1.error)

    def _train(self, trainer: Trainer, lease: Lease) -> Iterator[EpochRecord]:
        records: list[EpochRecord] = []
        try:
            for record in trainer.run_stage1():
                records.append(record)
                yield record
            save(capture(trainer, records), self._folder / RESULT)
        except DivergedError as error:
            save(Stage1({}, tuple(records), str(error)), self._folder / RESULT)
            raise
        finally:
            lease.release()
