"""The search on disk: Optuna's journal, a file with one line per event, which `resume` and optuna-dashboard open."""

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

CONSTRAINT = "constraints:"  # prefix of the system attributes in which Optuna 5 keeps a trial's constraints


class _DurableFile(JournalFileBackend):
    """Optuna's journal file with a single writer, which waits for storage that fails and removes incomplete lines.

    Optuna could read neither an incomplete line nor a line that follows it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        content = path.read_bytes()
        if not content.endswith(b"\n"):  # the last writer died, or its disk was full
            os.truncate(path, content.rfind(b"\n") + 1)

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield the events from number `log_number_from` on. Raises OSError if the storage keeps failing."""
        read = super().read_logs
        yield from retry_storage(lambda: list(read(log_number_from)))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append all events or none. Raises OSError if the storage keeps failing."""
        retry_storage(lambda: self._append(logs))

    def _append(self, logs: list[dict[str, Any]]) -> None:
        size_before = self._path.stat().st_size
        try:
            super().append_logs(logs)
        except OSError:
            os.truncate(self._path, size_before)
            raise


class _ReadOnlyFile(JournalFileBackend):
    """Optuna's journal file, opened by a process that is not its writer."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Raise PermissionError."""
        raise PermissionError(errno.EROFS, "a study's journal is written by its driver alone")


def read_only(path: Path) -> JournalStorage:
    """Return the journal at `path` as an Optuna storage that follows its study and refuses to write."""
    return JournalStorage(_ReadOnlyFile(str(path)))


class Journal:
    """The trials of one study in Optuna's journal, with their parameters, values and constraints.

    Every change is on disk when the call returns. A new trial is a single event, so a driver that dies leaves a whole
    design or none.
    """

    def __init__(self, path: Path, name: str, objectives: Sequence[Objective]) -> None:
        self._storage = JournalStorage(_DurableFile(path))
        self._study = optuna.create_study(
            study_name=name,
            storage=self._storage,
            directions=[objective.direction for objective in objectives],
            load_if_exists=True,
        )
        self._id = self._storage.get_study_id_from_name(name)

    def trials(self) -> list[FrozenTrial]:
        """Return all trials, ordered by number; callers must not change them."""
        return self._storage.get_all_trials(self._id, deepcopy=False)

    def add(self, trial: FrozenTrial) -> None:
        """Write a running or finished trial; it gets the next number."""
        self._storage.create_new_trial(self._id, trial)

    def finish(
        self,
        number: int,
        state: TrialState,
        values: Sequence[float] | None,
        constraints: Mapping[str, float],
    ) -> None:
        """Finish the running trial `number`. Its constraints are written first: Optuna refuses them afterwards."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        for name, violation in constraints.items():
            self._storage.set_trial_system_attr(trial_id, CONSTRAINT + name, violation)
        self._storage.set_trial_state_values(trial_id, state, values)

    @property
    def user_attrs(self) -> Mapping[str, object]:
        """The user attributes of the study as a whole."""
        return self._study.user_attrs

    def set_user_attr(self, key: str, value: object) -> None:
        """Set a user attribute of the study as a whole."""
        self._study.set_user_attr(key, value)
