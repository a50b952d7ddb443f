"""What one trial is asked to do: the only thing that travels from the search to a worker."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from analysis.tables.trial_row import Method, Phase
from search_spaces.domains import Value


@dataclass(frozen=True)
class TrialPlan:
    """One trial: `number` is Optuna's (None outside the search), `values` holds every hyperparameter's value,
    None where it is not in effect."""

    trial_id: str
    optuna_number: int | None
    phase: Phase
    method: Method
    values: Mapping[str, Value | None]
    seed: int

    def to_json(self) -> str:
        """The plan as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "TrialPlan":
        """The plan that `to_json` wrote."""
        return cls(**json.loads(text))
