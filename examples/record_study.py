"""Records the study that ships with the package (`study/example_study/`) anew: python examples/record_study.py

It is `aia-study launch quick --trials 24`, then `confirm --seeds 2`, eight minutes on 2 cores, of which what a reader
needs is kept, each table as one part. Stage 1, write-ahead files and states of training are not, and of the
checkpoints only those that `front` and `select` name: of each confirmed design the first seed's.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.fronts.candidates import candidates
from analysis.tables.reader import open_tables, read_trials
from analysis.tables.schema import SCHEMAS
from study.cli import run
from study.lifecycle.example_study import EXAMPLE, example_directory
from study.storage.paths import CHECKPOINTS, CONTROLS, IMPORTANCE, JOURNAL, RESAMPLES, SPEC_FILE


def main() -> int:
    """Launches and confirms, then replaces the study that ships; its exit status is that of what failed."""
    with TemporaryDirectory() as storage:
        study = Path(storage, EXAMPLE)
        status = run(["launch", "quick", "--trials", "24", "--name", study.name, "--storage", storage])
        status = status or run(["confirm", str(study), "--seeds", "2"])
        if status == 0:
            kept = Path(storage, "kept")
            keep(study, kept)
            shutil.rmtree(example_directory(), ignore_errors=True)
            shutil.copytree(kept, example_directory())
    return status


def keep(study: Path, target: Path) -> None:
    """Copies what a reader needs of `study` to the new folder `target`."""
    target.mkdir()
    for name in (SPEC_FILE, CONTROLS, JOURNAL, IMPORTANCE):
        shutil.copy(study / name, target / name)
    shutil.copytree(study / RESAMPLES, target / RESAMPLES)
    trials = read_trials(open_tables(study))
    for trial_id in candidates(trials)["trial_id"]:
        shutil.copytree(study / CHECKPOINTS / trial_id, target / CHECKPOINTS / trial_id)
    for table in SCHEMAS:
        parts = sorted((study / "results" / table).glob("part-*.parquet"))
        rows = pa.concat_tables([pq.read_table(part) for part in parts])
        place = target / "results" / table
        place.mkdir(parents=True)
        pq.write_table(rows, place / "part-000001.parquet", compression="zstd", compression_level=19)


if __name__ == "__main__":
    sys.exit(main())
