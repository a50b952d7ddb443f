"""The command `fetch` copies the checkpoint of one trial out of its study."""

import shlex
import shutil
from pathlib import Path

import polars as pl

from analysis.atomic_write import atomic_write
from analysis.tables.location import Location
from analysis.tables.reader import read_trials
from study.console import stdout
from study.errors import StudyError
from study.open_readable import open_readable


def fetch(directory: Location, trial_id: str, output: Path) -> None:
    """Copy the checkpoint of a trial to the folder `output`, atomically, and print its path.

    Raises StudyError if the study has no such trial or did not keep its checkpoint, or if `output` exists.
    """
    front = f"aia-study front {shlex.quote(str(directory))}"
    trials = read_trials(open_readable(directory, "trials")).filter(pl.col("trial_id") == trial_id)
    if trials.is_empty():
        raise StudyError(f"{directory} has no finished trial {trial_id!r}: see {front}")
    row = trials.row(0, named=True)
    checkpoint = directory / row["checkpoint"] if row["checkpoint"] else None
    if checkpoint is None or not checkpoint.is_dir():
        removed = "better ones are kept" if row["phase"] == "search" else "it was removed from the study"
        why = removed if checkpoint else f"it is {row['status']}"
        raise StudyError(f"{directory} kept no checkpoint of trial {trial_id} ({why}): see {front}")
    if output.exists():
        raise StudyError(f"{output} exists already: choose another -o")
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(output) as folder:
        if isinstance(checkpoint, Path):
            shutil.copytree(checkpoint, folder)
        else:
            checkpoint.download(folder)
    stdout.print(f"checkpoint: {output}")
