"""A trial's training on disk while it runs: whoever runs the trial next goes on from its last saved epoch.

One file under `<study>/state/<trial>/`, which the driver removes when the trial's row is recorded.
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
from study.storage.retry import retry_storage
from study.storage.study_storage import StudyStorage
from study.trial.rows import Outcome, Row

FILE = "training.safetensors"


@dataclass
class Trained:
    """What a trial has behind it, beside its trainer's state: seconds in earlier processes, stage 1's columns of
    `trials`, its epochs, and by epoch what judging gave and the rows of the trial as if it were stopped there."""

    seconds: float = 0.0
    stage1: Row = field(default_factory=dict)
    records: list[EpochRecord] = field(default_factory=list)
    judged: dict[int, Row] = field(default_factory=dict)
    stopped_there: dict[int, Outcome] = field(default_factory=dict)


class SavedTraining:
    """One trial's file; `key` says what the training depends on: another's is never taken up."""

    def __init__(self, place: StudyStorage, folder: str, key: str) -> None:
        self._place = place
        self._folder = folder
        self._name = f"{folder}/{FILE}"
        self._key = key
        self._pace = SaveThrottle()

    def take_up(self, trainer: Trainer) -> Trained | None:
        """Puts a fresh trainer where it was saved last; None where nothing is there to go on from."""
        path = retry_storage(lambda: self._place.download(self._name))
        try:
            state = load(path)
        except (OSError, CheckpointError):
            return None
        self._place.drop_local_copy(self._name)
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
        """Saves, unless so much time went into the last save that it is too early for another."""
        if self._pace.is_due():
            self.save(trainer, trained)

    def save(self, trainer: Trainer, trained: Trained) -> None:
        """Saves; where that fails the trial goes on with the file of before."""
        notes = {
            "key": self._key,
            "seconds": trained.seconds,
            "stage1": trained.stage1,
            "judged": trained.judged,
            "stopped": {epoch: asdict(outcome) for epoch, outcome in trained.stopped_there.items()},
        }
        with self._pace.saving(), suppress(OSError):
            state = capture(trainer, trained.records, json.dumps(notes, allow_nan=False))
            save(state, self._place.make_folder(self._folder) / FILE)
            self._place.upload_and_drop(self._name)


MAX_SHARE = 0.05  # of the time that saving may take; what comes too early for that is not saved


class SaveThrottle:
    """Of one thing that is saved again and again: the first time at once, then as `MAX_SHARE` allows."""

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
        self._next_at = ended + (ended - started) * (1 - MAX_SHARE) / MAX_SHARE
