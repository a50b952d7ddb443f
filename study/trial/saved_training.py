"""The saved training of a running trial: a process that runs the trial again continues from its last saved epoch.

It is one file under `<study>/state/<trial>/`, which the driver removes when the trial's row is recorded.
"""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field

from aia_models.errors import CheckpointError
from aia_models.training.state import capture, load, restore, save
from aia_models.training.trainer import EpochRecord, Trainer
from study.storage.outcome import Outcome
from study.storage.retry import retry_storage
from study.storage.study_storage import StudyStorage
from study.trial.rows import Row

FILE = "training.safetensors"


@dataclass
class Trained:
    """The part of a trial's progress that is not in its trainer.

    `seconds` is the time spent in earlier processes, `stage1` the columns of `trials` about stage 1, `records` the
    epochs. By epoch, `judged` holds the figures of judging and `stopped_there` the rows of the trial if it is stopped
    after that epoch.
    """

    seconds: float = 0.0
    stage1: Row = field(default_factory=dict)
    records: list[EpochRecord] = field(default_factory=list)
    judged: dict[int, Row] = field(default_factory=dict)
    stopped_there: dict[int, Outcome] = field(default_factory=dict)


class SavedTraining:
    """The file of one trial. `key` is a hash of everything that the training depends on: a file with another key is
    never restored."""

    def __init__(self, storage: StudyStorage, folder: str, key: str) -> None:
        self._storage = storage
        self._folder = folder
        self._name = f"{folder}/{FILE}"
        self._key = key
        self._throttle = SaveThrottle()

    def take_up(self, trainer: Trainer) -> Trained | None:
        """Restore the last save into a fresh trainer and return the rest of the progress; None where there is no file
        that can be restored."""
        path = retry_storage(lambda: self._storage.download(self._name))
        try:
            state = load(path)
        except (OSError, CheckpointError):
            return None
        self._storage.drop_local_copy(self._name)
        notes = json.loads(state.notes)
        if notes["key"] != self._key:
            return None
        restore(trainer, state)
        by_epoch = {
            name: {int(epoch): row for epoch, row in notes[name].items()} for name in ("judged", "stopped")
        }
        stopped = {epoch: Outcome(**rows) for epoch, rows in by_epoch["stopped"].items()}
        return Trained(notes["seconds"], notes["stage1"], list(state.records), by_epoch["judged"], stopped)

    def save_if_cheap(self, trainer: Trainer, trained: Trained) -> None:
        """Save, unless that would make saving take more than `MAX_SHARE` of the time."""
        if self._throttle.is_due():
            self.save(trainer, trained)

    def save(self, trainer: Trainer, trained: Trained) -> None:
        """Save the training. Where the storage fails, the earlier file stays and the trial continues."""
        notes = {
            "key": self._key,
            "seconds": trained.seconds,
            "stage1": trained.stage1,
            "judged": trained.judged,
            "stopped": {epoch: asdict(outcome) for epoch, outcome in trained.stopped_there.items()},
        }
        with self._throttle.saving(), suppress(OSError):
            state = capture(trainer, trained.records, json.dumps(notes, allow_nan=False))
            save(state, self._storage.make_folder(self._folder) / FILE)
            self._storage.upload_and_drop(self._name)


# Largest share of a trial's time that saving may take; a save that is due too early is left out.
MAX_SHARE = 0.05


class SaveThrottle:
    """Decides when a save is due: the first is due at once, each later one as soon as `MAX_SHARE` allows it."""

    def __init__(self) -> None:
        self._next_at = -math.inf

    def is_due(self) -> bool:
        """Whether enough time has passed since the last save."""
        return time.monotonic() >= self._next_at

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Measure how long a save takes, and set the time of the next one by it."""
        started = time.monotonic()
        yield
        ended = time.monotonic()
        self._next_at = ended + (ended - started) * (1 - MAX_SHARE) / MAX_SHARE
