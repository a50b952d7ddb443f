"""The state of a study after faults: trials that are lost, doubled or left running, and rows that differ."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import optuna
import polars as pl
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

import analysis
from aia_models.errors import CheckpointError
from aia_models.release import checkpoint
from tests.faults.reader import TABLES

# These columns depend on the order in which trials end and on their duration.
ASIDE = ("stage1_reused", "checkpoint")


@dataclass(frozen=True)
class Verdict:
    """Counts that are all 0 if nothing is lost.

    `lost` counts trials without a row and rows of the front without the checkpoint that they name.
    """

    lost: int
    duplicates: int
    zombies: int
    differing_rows: int


def judged(study: Path, undisturbed: Path, name: str) -> Verdict:
    """Compare a study that suffered faults with an undisturbed study of the same spec."""
    tables = {table: _rows(study, table) for table in TABLES}
    expected = {table: _rows(undisturbed, table) for table in TABLES}
    ids = Counter(tables["trials"]["trial_id"])
    planned = set(expected["trials"]["trial_id"])
    storage = JournalStorage(JournalFileBackend(str(study / "search.journal")))
    states = [trial.state for trial in optuna.load_study(study_name=name, storage=storage).trials]
    differing = sum(_differing(tables[table], expected[table]) for table in TABLES)
    return Verdict(
        lost=len(planned - ids.keys()) + _without_checkpoint(study),
        duplicates=sum(count - 1 for count in ids.values()),
        zombies=states.count(TrialState.RUNNING) + states.count(TrialState.WAITING),
        differing_rows=differing,
    )


def _without_checkpoint(study: Path) -> int:
    """Return the number of designs on the front whose checkpoint cannot be loaded."""
    lost = 0
    for name in analysis.open_study(study).front()["checkpoint"]:
        try:
            checkpoint.load(study / name)
        except CheckpointError:
            lost += 1
    return lost


def _rows(study: Path, table: str) -> pl.DataFrame:
    """Return the sorted rows of all parts of a table without times; each part is opened by itself."""
    parts = [pl.read_parquet(part) for part in sorted((study / "results" / table).glob("*.parquet"))]
    frame = pl.concat(parts)
    timed = [name for name in frame.columns if name.endswith("seconds") or name in ASIDE]
    return frame.drop(timed).sort(pl.all())


def _differing(found: pl.DataFrame, expected: pl.DataFrame) -> int:
    """Return the number of rows that only one of the two frames has."""
    counts = Counter(found.rows()), Counter(expected.rows())
    return (counts[0] - counts[1]).total() + (counts[1] - counts[0]).total()
