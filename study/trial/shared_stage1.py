"""Stage 1, trained once by whichever trial comes first and taken by all others that agree on it.

`<study>/stage1/<key>/` holds the result, the leases of those who trained it, and while one trains it how far it is:
the next one goes on from there. A trial that holds a lease is running and waits for nothing: trials that wait for it,
whatever they hold, cannot keep it from ending.
"""

import time
from collections.abc import Iterator
from contextlib import suppress

from aia_models.errors import CheckpointError, DivergedError
from aia_models.training.state import TrainingState, capture, load, restore, save
from aia_models.training.trainer import EpochRecord, Trainer
from study.storage.lease import Lease, LeaseQueue
from study.storage.object_lease import ObjectLease, ObjectLeaseQueue
from study.storage.paths import STAGE1
from study.storage.retry import retry_storage
from study.storage.study_storage import StudyStorage
from study.trial.saved_training import SaveThrottle

POLL_SECONDS = 0.25
REMOTE_POLL_SECONDS = 2.0  # each look is some requests, which object stores count
RESULT = "stage1.safetensors"
UNDER_WAY = "under_way.safetensors"


class SharedStage1:
    """One trial's stage 1; `reused` and `wait_seconds` hold once `run` has ended, also where it raised."""

    def __init__(self, place: StudyStorage, key: str) -> None:
        self.key = key
        self.reused = False
        self.wait_seconds = 0.0
        self._place = place
        self._folder = f"{STAGE1}/{key}"

    def run(self, trainer: Trainer) -> Iterator[EpochRecord]:
        """The epochs of stage 1, after which `trainer` stands at its end.

        DivergedError where stage 1 diverges: who finds another's trial did so raises the same at once.
        """
        found = self._result_or_lease()
        if isinstance(found, TrainingState):
            yield from self._take(trainer, found)
        else:
            yield from self._train(trainer, found)

    def columns(self) -> dict[str, object]:
        """Columns of `trials` that say how the trial came by its stage 1."""
        return {
            "stage1_key": self.key,
            "stage1_reused": self.reused,
            "stage1_wait_seconds": self.wait_seconds,
        }

    def _result_or_lease(self) -> TrainingState | Lease | ObjectLease:
        queue, started = retry_storage(self._queue), time.monotonic()
        while (result := self._read(RESULT)) is None:
            lease = retry_storage(queue.acquire)
            if lease is None:
                time.sleep(REMOTE_POLL_SECONDS if self._place.remote else POLL_SECONDS)
                self.wait_seconds = time.monotonic() - started
            elif self._read(RESULT) is None:
                return lease
            else:  # its last holder put the result there and let go in between
                lease.release()
        return result

    def _read(self, name: str) -> TrainingState | None:
        """What lies there; None also for a file that cannot be read: it is trained again and replaced."""
        path = retry_storage(lambda: self._place.download(f"{self._folder}/{name}"))
        try:
            return load(path)
        except (OSError, CheckpointError):
            return None
        finally:
            self._place.drop_local_copy(f"{self._folder}/{name}")

    def _keep(self, stage1: TrainingState) -> None:
        """Puts the result there for others, unless one who took over did so before; this trial goes on without."""
        with suppress(OSError):
            if self._read(RESULT) is None:
                self._save(stage1, RESULT)
            self._place.remove(f"{self._folder}/{UNDER_WAY}")

    def _save(self, stage1: TrainingState, name: str) -> None:
        save(stage1, self._place.make_folder(self._folder) / name)
        self._place.upload_and_drop(f"{self._folder}/{name}")

    def _queue(self) -> LeaseQueue | ObjectLeaseQueue:
        remote = self._place.remote
        return (
            ObjectLeaseQueue(remote / self._folder)
            if remote
            else LeaseQueue(self._place.make_folder(self._folder))
        )

    def _take(self, trainer: Trainer, stage1: TrainingState) -> Iterator[EpochRecord]:
        self.reused = True
        if stage1.error is None:
            restore(trainer, stage1)
        yield from stage1.records
        if stage1.error is not None:
            raise DivergedError(stage1.error)

    def _train(self, trainer: Trainer, lease: Lease | ObjectLease) -> Iterator[EpochRecord]:
        records: list[EpochRecord] = []
        pace = SaveThrottle()

        def save_under_way() -> None:
            with pace.saving(), suppress(OSError):
                if not self._place.exists(
                    f"{self._folder}/{RESULT}"
                ):  # else another took over, and has ended
                    self._save(capture(trainer, records), UNDER_WAY)

        try:
            begun = self._read(UNDER_WAY)
            if begun is not None:
                restore(trainer, begun)
                records += begun.records
                yield from begun.records
            for record in trainer.run_stage1():
                records.append(record)
                if pace.is_due():
                    save_under_way()
                yield record
            self._keep(capture(trainer, records))
        except DivergedError as error:
            self._keep(TrainingState({}, tuple(records), str(error)))
            raise
        except (
            GeneratorExit
        ):  # the trial is stopped: the next one has all epochs, not only those that were cheap to save
            save_under_way()
            raise
        finally:
            lease.release()
