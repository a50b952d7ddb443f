"""The plan of one trial: everything that a worker needs to know about it, beside what all trials of a study share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.tables.trial_row import Method, Phase
from search_spaces.domains import Value
from search_spaces.hyperparameters import HYPERPARAMETERS


@dataclass(frozen=True)
class TrialPlan:
    """One trial to run. `optuna_number` is Optuna's number of the trial, None outside the search; `values` holds the
    value of every hyperparameter, None where the hyperparameter is not in effect."""

    trial_id: str
    optuna_number: int | None
    phase: Phase
    method: Method
    values: Mapping[str, Value | None]
    seed: int

    def to_config(self) -> dict[str, Any]:
        """Return the plan as a flat Ray Tune config: its fields, and the hyperparameters in effect by their names."""
        fields = {
            "trial_id": self.trial_id,
            "optuna_number": self.optuna_number,
            "phase": self.phase,
            "method": self.method,
            "seed": self.seed,
        }
        return {name: value for name, value in (fields | dict(self.values)).items() if value is not None}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TrialPlan":
        """Return the plan that `to_config` turned into `config`."""
        return cls(
            trial_id=config["trial_id"],
            optuna_number=config.get("optuna_number"),
            phase=config["phase"],
            method=config["method"],
            values={name: config.get(name) for name in HYPERPARAMETERS},
            seed=config["seed"],
        )
