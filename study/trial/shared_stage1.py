"""Shared stage 1: the first trial trains it, and all trials with the same inputs of stage 1 restore its result.

`<study>/stage1/<key>/` holds the result, the leases of the trials that trained it and, while a trial trains it, the
training up to now, from which another trial continues if this one ends. There is no deadlock: the trial that holds the
lease is running and waits for no other trial.
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
REMOTE_POLL_SECONDS = 2.0  # each poll is several requests, and object stores charge for requests
RESULT = "stage1.safetensors"
UNDER_WAY = "under_way.safetensors"


class SharedStage1:
    """Stage 1 of one trial. `reused` says whether another trial trained it, `wait_seconds` how long this trial waited
    for that; both are set when `run` has ended, also where it raised."""

    def __init__(self, storage: StudyStorage, key: str) -> None:
        self.key = key
        self.reused = False
        self.wait_seconds = 0.0
        self._storage = storage
        self._folder = f"{STAGE1}/{key}"

    def run(self, trainer: Trainer) -> Iterator[EpochRecord]:
        """Yield the epochs of stage 1; after the last one `trainer` has the state at the end of stage 1.

        DivergedError where stage 1 diverges. Its result is shared too: later trials raise the same error at once.
        """
        result_or_lease = self._result_or_lease()
        if isinstance(result_or_lease, TrainingState):
            yield from self._take(trainer, result_or_lease)
        else:
            yield from self._train(trainer, result_or_lease)

    def columns(self) -> dict[str, object]:
        """Return the columns of `trials` about stage 1."""
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
                time.sleep(REMOTE_POLL_SECONDS if self._storage.remote else POLL_SECONDS)
                self.wait_seconds = time.monotonic() - started
            elif self._read(RESULT) is None:
                return lease
            else:  # another trial has written the result and released its lease since it was read above
                lease.release()
        return result

    def _read(self, name: str) -> TrainingState | None:
        """Return the state in the file; None where there is none or it cannot be read: a new training replaces it."""
        path = retry_storage(lambda: self._storage.download(f"{self._folder}/{name}"))
        try:
            return load(path)
        except (OSError, CheckpointError):
            return None
        finally:
            self._storage.drop_local_copy(f"{self._folder}/{name}")

    def _keep(self, stage1: TrainingState) -> None:
        """Write the result for other trials, unless another trial that took over has written it already. Where the
        storage fails, this trial continues without sharing."""
        with suppress(OSError):
            if self._read(RESULT) is None:
                self._save(stage1, RESULT)
            self._storage.remove(f"{self._folder}/{UNDER_WAY}")

    def _save(self, stage1: TrainingState, name: str) -> None:
        save(stage1, self._storage.make_folder(self._folder) / name)
        self._storage.upload_and_drop(f"{self._folder}/{name}")

    def _queue(self) -> LeaseQueue | ObjectLeaseQueue:
        remote = self._storage.remote
        if remote:
            return ObjectLeaseQueue(remote / self._folder)
        return LeaseQueue(self._storage.make_folder(self._folder))

    def _take(self, trainer: Trainer, stage1: TrainingState) -> Iterator[EpochRecord]:
        self.reused = True
        if stage1.error is None:
            restore(trainer, stage1)
        yield from stage1.records
        if stage1.error is not None:
            raise DivergedError(stage1.error)

    def _train(self, trainer: Trainer, lease: Lease | ObjectLease) -> Iterator[EpochRecord]:
        records: list[EpochRecord] = []
        throttle = SaveThrottle()

        def save_under_way() -> None:
            with throttle.saving(), suppress(OSError):
                if not self._storage.exists(
                    f"{self._folder}/{RESULT}"
                ):  # else another trial took over and has ended
                    self._save(capture(trainer, records), UNDER_WAY)

        try:
            unfinished = self._read(UNDER_WAY)
            if unfinished is not None:
                restore(trainer, unfinished)
                records += unfinished.records
                yield from unfinished.records
            for record in trainer.run_stage1():
                records.append(record)
                if throttle.is_due():
                    save_under_way()
                yield record
            self._keep(capture(trainer, records))
        except DivergedError as error:
            self._keep(TrainingState({}, tuple(records), str(error)))
            raise
        except (
            GeneratorExit
        ):  # the trial is stopped: the next one continues from its last epoch, saved or not yet
            save_under_way()
            raise
        finally:
            lease.release()
