"""The search on disk: Optuna's journal, one line per event, which a resume and optuna-dashboard open."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from study.objectives import Objective

CONSTRAINT = "constraints:"  # how Optuna 5 names a trial's constraints, as Trial.set_constraint does


class Journal:
    """Every trial of one study with its real parameters, values and constraints; each call is on disk when it returns.

    A trial is written whole, in one event: what a driver that dies leaves behind is a whole design or none.
    """

    def __init__(self, path: Path, name: str, objectives: Sequence[Objective]) -> None:
        self._storage = JournalStorage(JournalFileBackend(str(path)))
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
