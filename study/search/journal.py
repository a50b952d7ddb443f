"""The search on disk: Optuna's journal, one line per event, which a resume and optuna-dashboard open."""

import errno
import os
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from analysis.tables.objectives import Objective
from study.storage.retry import retry_storage

CONSTRAINT = "constraints:"  # how Optuna 5 names a trial's constraints, as Trial.set_constraint does


class _File(JournalFileBackend):
    """Optuna's file, written by one process alone, in which no line ever follows a torn one: it would read neither."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        content = path.read_bytes()
        if not content.endswith(b"\n"):  # a writer died, or its disk was full
            os.truncate(path, content.rfind(b"\n") + 1)

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Events from a number on; OSError where the storage stays away."""
        read = super().read_logs
        yield from retry_storage(lambda: list(read(log_number_from)))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes all of them or none; OSError where the storage stays away."""
        retry_storage(lambda: self._append(logs))

    def _append(self, logs: list[dict[str, Any]]) -> None:
        before = self._path.stat().st_size
        try:
            super().append_logs(logs)
        except OSError:
            os.truncate(self._path, before)
            raise


class _ReadOnlyFile(JournalFileBackend):
    """Optuna's file, of which another process is the one writer."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Refuses."""
        raise PermissionError(errno.EROFS, "a study's journal is written by its driver alone")


def read_only(path: Path) -> JournalStorage:
    """The journal at `path` as a storage that reads what its study writes, and writes nothing."""
    return JournalStorage(_ReadOnlyFile(str(path)))


class Journal:
    """Every trial of one study with its real parameters, values and constraints; each call is on disk when it returns.

    A trial is written whole, in one event: what a driver that dies leaves behind is a whole design or none.
    """

    def __init__(self, path: Path, name: str, objectives: Sequence[Objective]) -> None:
        self._storage = JournalStorage(_File(path))
        self._study = optuna.create_study(
            study_name=name,
            storage=self._storage,
            directions=[objective.direction for objective in objectives],
            load_if_exists=True,
        )
        self._id = self._storage.get_study_id_from_name(name)

    def trials(self) -> list[FrozenTrial]:
        """All trials by number; not to be changed."""
        return self._storage.get_all_trials(self._id, deepcopy=False)

    def add(self, trial: FrozenTrial) -> None:
        """Writes a trial, running or finished; it takes the next number."""
        self._storage.create_new_trial(self._id, trial)

    def finish(
        self,
        number: int,
        state: TrialState,
        values: Sequence[float] | None,
        constraints: Mapping[str, float],
    ) -> None:
        """Ends the running trial `number`, its constraints first: a finished one takes none."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        for name, violation in constraints.items():
            self._storage.set_trial_system_attr(trial_id, CONSTRAINT + name, violation)
        self._storage.set_trial_state_values(trial_id, state, values)

    @property
    def notes(self) -> Mapping[str, object]:
        """What was noted of the whole study."""
        return self._study.user_attrs

    def note(self, key: str, value: object) -> None:
        """Notes something of the whole study."""
        self._study.set_user_attr(key, value)
