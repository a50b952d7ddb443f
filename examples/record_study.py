"""Records the study that ships with the package (`study/example_study/`) anew: python examples/record_study.py

It is `aia-study launch quick`, minutes on 2 cores, of which what a reader needs is kept, each table as one part; stage
1, resamples and Ray's own state are not.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from study.cli import run
from study.example import example_directory
from study.layout import CHECKPOINTS, CONTROLS, IMPORTANCE, JOURNAL, SPEC_FILE
from study.records import SCHEMAS

SPEC = "quick"


def main() -> int:
    """Launches, then replaces the study that ships; its exit status is the launch's."""
    with TemporaryDirectory() as storage:
        status = run(["launch", SPEC, "--storage", storage])
        if status == 0:
            keep(Path(storage, f"{SPEC}-1"), example_directory())
    return status


def keep(study: Path, target: Path) -> None:
    """Copies what a reader needs of `study`, in place of what lies at `target`."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in (SPEC_FILE, CONTROLS, JOURNAL, IMPORTANCE):
        shutil.copy(study / name, target / name)
    shutil.copytree(study / CHECKPOINTS, target / CHECKPOINTS)
    for table in SCHEMAS:
        parts = sorted((study / "results" / table).glob("part-*.parquet"))
        rows = pa.concat_tables([pq.read_table(part) for part in parts])
        place = target / "results" / table
        place.mkdir(parents=True)
        pq.write_table(rows, place / "part-000001.parquet", compression="zstd", compression_level=19)


if __name__ == "__main__":
    sys.exit(main())
