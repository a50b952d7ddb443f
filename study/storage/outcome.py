"""The outcome of one trial: its rows in the four tables, as a worker sends them to the driver and the store takes them.

This module imports no PyTorch, so that a process which only handles outcomes starts fast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.tables.schema import SCHEMAS, checked


@dataclass(frozen=True)
class Outcome:
    """All rows of one final trial in the four tables; a trial that was not judged has no attacks and no matches.

    Rows are checked here and nowhere else: the store trusts them. Raises ValueError for a row that its table cannot
    hold (a wrong column or type, NaN, inf) and for a row with the id of another trial.
    """

    trial: Mapping[str, Any]
    epochs: Sequence[Mapping[str, Any]] = ()
    attacks: Sequence[Mapping[str, Any]] = ()
    matches: Sequence[Mapping[str, Any]] = ()

    def __post_init__(self) -> None:
        (trial,) = checked([self.trial], SCHEMAS["trials"])
        checked_rows = {
            "trial": trial,
            "epochs": checked(self.epochs, SCHEMAS["epochs"]),
            "attacks": checked(self.attacks, SCHEMAS["attacks"]),
            "matches": checked(self.matches, SCHEMAS["matches"]),
        }
        for name, rows in checked_rows.items():
            object.__setattr__(self, name, rows)
        others = (*self.epochs, *self.attacks, *self.matches)
        if any(row["trial_id"] != trial["trial_id"] for row in others):
            raise ValueError(f"rows of trial {trial['trial_id']} may not bear another trial's id")

    def by_table(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows by the name of their table, as the write-ahead file holds them."""
        tables = {
            "epochs": self.epochs,
            "attacks": self.attacks,
            "matches": self.matches,
            "trials": [self.trial],
        }
        return {table: [dict(row) for row in rows] for table, rows in tables.items()}
