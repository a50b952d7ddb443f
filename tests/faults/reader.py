"""Reads a study's tables in a loop, as a user with a notebook would, and notes every broken promise."""

import threading
import time
from collections import Counter
from pathlib import Path

import duckdb
import polars as pl

TABLES = ("trials", "epochs", "attacks", "matches")
PAUSE_SECONDS = 0.05


class Reader:
    """Scans the tables in a thread. `problems` are errors, duplicates and trials with missing rows."""

    def __init__(self, study: Path) -> None:
        self.problems: list[str] = []
        self.scans = 0
        self._results = study / "results"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            if any((self._results / "trials").glob("*.parquet")):
                try:
                    self._scan()
                except Exception as error:  # noqa: BLE001  whatever a reader meets is what the campaign is about
                    self._note(f"{type(error).__name__}: {error}")
                self.scans += 1

    def _scan(self) -> None:
        # `trials` is read first: when a trial's row exists there, its rows in the other tables exist too.
        trials = pl.scan_parquet(self._results / "trials" / "*.parquet").collect()
        for trial_id, rows in Counter(trials["trial_id"]).items():
            if rows > 1:
                self._note(f"{trial_id} has {rows} rows in trials")
        epochs = pl.scan_parquet(self._results / "epochs" / "*.parquet").collect()
        there = Counter(epochs["trial_id"])
        for row in trials.iter_rows(named=True):
            if there[row["trial_id"]] != (row["epochs"] or 0):
                self._note(
                    f"{row['trial_id']} has {there[row['trial_id']]} rows in epochs of {row['epochs']}"
                )
        judged = trials.filter(status="complete")["trial_id"].to_list()
        for table in ("attacks", "matches"):
            glob = str(self._results / table / "*.parquet")
            found = {
                row[0] for row in duckdb.connect().sql(f"select distinct trial_id from '{glob}'").fetchall()
            }
            for trial_id in set(judged) - found:
                self._note(f"{trial_id} has no rows in {table}")

    def _note(self, problem: str) -> None:
        # While the storage is away the study cannot be read.
        if self._results.is_dir():
            self.problems.append(f"{time.strftime('%H:%M:%S')} {problem.splitlines()[0]}")
