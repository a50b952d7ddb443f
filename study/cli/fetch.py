"""`fetch`: one trial's checkpoint, copied out of its study."""

import shlex
import shutil
from pathlib import Path

import polars as pl

from analysis.tables.location import Location
from analysis.tables.reader import read_trials
from study.console import stdout
from study.errors import StudyError
from study.open_readable import open_readable


def fetch(directory: Location, trial_id: str, output: Path) -> None:
    """Copies the checkpoint of a trial to `output`, which appears whole, and prints where it lies.

    StudyError for a trial that the study does not have or whose checkpoint it did not keep, and where something lies
    at `output`.
    """
    front = f"aia-study front {shlex.quote(str(directory))}"
    trials = read_trials(open_readable(directory, "trials")).filter(pl.col("trial_id") == trial_id)
    if trials.is_empty():
        raise StudyError(f"{directory} has no finished trial {trial_id!r}: see {front}")
    row = trials.row(0, named=True)
    checkpoint = directory / row["checkpoint"] if row["checkpoint"] else None
    if checkpoint is None or not checkpoint.is_dir():
        why = "better ones are kept" if checkpoint else f"it is {row['status']}"
        raise StudyError(f"{directory} kept no checkpoint of trial {trial_id} ({why}): see {front}")
    if output.exists():
        raise StudyError(f"{output} exists already: choose another -o")
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = output.with_name(f".{output.name}.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    if isinstance(checkpoint, Path):
        shutil.copytree(checkpoint, aside)
    else:
        checkpoint.download(aside)
    aside.rename(output)
    stdout.print(f"checkpoint: {output}")
