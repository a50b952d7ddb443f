"""The results store: appended trials are durable, appear whole and once, and can be read at any time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from analysis.tables.schema import SCHEMAS
from study.errors import StudyError
from study.storage import results_store, write_ahead
from study.storage.outcome import Outcome
from study.storage.results_store import FLUSH_SECONDS, FLUSH_TRIALS, ResultsStore
from study.storage.study_storage import StudyStorage
from tests.study.storage.store_writer import epochs_of, rows_of

WRITER = Path(__file__).with_name("store_writer.py")


def parts(study: Path, table: str) -> list[Path]:
    return sorted((study / "results" / table).glob("*.parquet"))


def read(study: Path, table: str) -> list[dict]:
    return [row for part in parts(study, table) for row in pq.read_table(part).to_pylist()]


def expected(trial_ids: set[str], table: str) -> Counter:
    """Return how many rows each trial should have in `table`."""
    name = {"trials": "trial", **{other: other for other in ("epochs", "attacks", "matches")}}[table]
    counts: Counter = Counter()
    for trial_id in trial_ids:
        rows = getattr(rows_of(trial_id), name)
        counts[trial_id] = 1 if table == "trials" else len(rows)
    return +counts


def assert_holds_exactly(study: Path, trial_ids: set[str]) -> None:
    for table in SCHEMAS:
        assert Counter(row["trial_id"] for row in read(study, table)) == expected(trial_ids, table), table


def writer(study: Path, run: int, trials: int, pause_seconds: float = 0.0) -> subprocess.Popen:
    arguments = [str(study), str(run), str(trials), str(pause_seconds)]
    return subprocess.Popen([sys.executable, str(WRITER), *arguments], stdout=subprocess.PIPE, text=True)


def test_what_is_appended_comes_back_value_for_value(tmp_path):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        for number in range(5):
            store.append(rows_of(f"0-{number}"))
    rows = rows_of("0-3")
    (trial,) = (row for row in read(tmp_path, "trials") if row["trial_id"] == "0-3")
    assert trial == rows.trial
    epochs = [row for row in read(tmp_path, "epochs") if row["trial_id"] == "0-3"]
    assert [row["total_loss"] for row in epochs] == [row["total_loss"] for row in rows.epochs]
    assert_holds_exactly(tmp_path, {f"0-{number}" for number in range(5)})


def test_nothing_is_written_before_the_first_trial(tmp_path):
    ResultsStore(StudyStorage(tmp_path)).close()
    assert not (tmp_path / "results").exists()
    assert [path.name for path in (tmp_path / "wal").iterdir()] == ["lock"]


def test_parts_have_the_full_schema_zstd_and_a_number(tmp_path):
    for number in range(2):
        with ResultsStore(StudyStorage(tmp_path)) as store:
            store.append(rows_of(f"0-{number + 1}"))
    for table, schema in SCHEMAS.items():
        assert [part.name for part in parts(tmp_path, table)] == [
            "part-000001.parquet",
            "part-000002.parquet",
        ]
        for part in parts(tmp_path, table):
            assert pq.read_schema(part).equals(schema, check_metadata=True)
            assert pq.read_metadata(part).row_group(0).column(0).compression == "ZSTD"


def test_a_table_without_rows_gets_one_empty_part_so_that_a_glob_finds_it(tmp_path):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        for run in range(2):
            store.append(Outcome(rows_of(f"{run}-0").trial))
            store.flush()
    assert len(parts(tmp_path, "trials")) == 2
    for table in ("epochs", "attacks", "matches"):
        assert [part.name for part in parts(tmp_path, table)] == ["part-000001.parquet"]
        frame = pl.read_parquet(tmp_path / "results" / table / "*.parquet")
        assert (frame.height, frame.columns) == (0, SCHEMAS[table].names)


def test_duckdb_pandas_and_polars_read_every_table_by_glob(tmp_path):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        for number in range(12):
            store.append(rows_of(f"0-{number}"))
            if number % 4 == 0:
                store.flush()
    for table, schema in SCHEMAS.items():
        glob = str(tmp_path / "results" / table / "*.parquet")
        wanted = expected({f"0-{number}" for number in range(12)}, table).total()
        from_duckdb = duckdb.sql(f"select * from '{glob}'")
        from_pandas = pd.read_parquet(tmp_path / "results" / table)
        from_polars = pl.scan_parquet(glob).collect()
        assert (len(from_duckdb), len(from_pandas), len(from_polars)) == (wanted,) * 3
        assert from_duckdb.columns == list(from_pandas.columns) == from_polars.columns == schema.names


def test_a_trial_waits_10_seconds_at_most(tmp_path):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        assert not store.flush_if_due(time.monotonic() + 1e6), "nothing waits"
        store.append(rows_of("0-0"))
        first_at = time.monotonic()
        assert not store.flush_if_due(first_at + FLUSH_SECONDS - 1)
        store.append(rows_of("0-1"))
        assert parts(tmp_path, "trials") == []
        assert store.flush_if_due(first_at + FLUSH_SECONDS)
        assert len(parts(tmp_path, "trials")) == 1


def test_64_trials_do_not_wait_for_10_seconds_but_for_10_since_the_last_part(tmp_path, monkeypatch):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        for number in range(FLUSH_TRIALS - 1):
            store.append(rows_of(f"1-{number}"))
        assert not store.flush_if_due(time.monotonic())
        store.append(rows_of("1-99"))
        with monkeypatch.context() as patch:
            fsync = os.fsync
            patch.setattr(results_store.os, "fsync", lambda descriptor: (time.sleep(0.02), fsync(descriptor)))
            began = time.monotonic()
            assert store.flush_if_due(began)
        flushed_at = time.monotonic()
        for number in range(FLUSH_TRIALS + 1):
            store.append(rows_of(f"2-{number}"))
        assert not store.flush_if_due(began + FLUSH_SECONDS + 0.02), "a slow disk brings no two parts closer"
        assert store.flush_if_due(flushed_at + FLUSH_SECONDS)
        assert [pq.read_metadata(part).num_rows for part in parts(tmp_path, "trials")] == [64, 65]
        assert list((tmp_path / "wal").glob("*.jsonl")) == []


def test_it_knows_what_is_final_in_parts_and_waiting(tmp_path):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        store.append(rows_of("0-0"))
        store.flush()
        store.append(rows_of("0-1"))
        assert store.trial_ids() == {"0-0", "0-1"}
        with pytest.raises(ValueError, match="0-0 is recorded already"):
            store.append(rows_of("0-0"))
        with pytest.raises(ValueError, match="0-1 is recorded already"):
            store.append(rows_of("0-1"))
    with ResultsStore(StudyStorage(tmp_path)) as store:
        assert store.trial_ids() == {"0-0", "0-1"}


@pytest.mark.parametrize(
    ("trial", "epochs", "message"),
    [
        ({"alpha": float("nan")}, [], "alpha = nan: a row holds finite numbers"),
        ({"loss": 1.0}, [], "may not hold loss"),
        ({}, [{"trial_id": "0-1", "epoch": 1}], "stage is missing"),
        ({}, rows_of("0-2").epochs, "another trial's id"),
    ],
)
def test_rows_that_no_table_holds_are_refused_where_they_are_made(trial, epochs, message):
    with pytest.raises(ValueError, match=message):
        Outcome({**rows_of("0-1").trial, **trial}, epochs, [], [])


def test_only_one_process_writes(tmp_path):
    process = writer(tmp_path, 0, 1000, pause_seconds=0.01)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StudyError, match="is being written by another process") as caught:
            ResultsStore(StudyStorage(tmp_path))
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)
    finally:
        process.kill()
        process.communicate()
    ResultsStore(StudyStorage(tmp_path)).close()


def test_a_closed_store_takes_nothing_and_lets_others_in(tmp_path):
    store = ResultsStore(StudyStorage(tmp_path))
    store.close()
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.append(rows_of("0-0"))
    ResultsStore(StudyStorage(tmp_path)).close()


def test_killed_at_random_it_keeps_each_appended_trial_exactly_once(tmp_path):
    rng = np.random.default_rng(11)
    acknowledged: set[str] = set()
    kills = 8
    for run in range(kills):
        process = writer(tmp_path, run, 100_000)
        assert process.stdout is not None
        # The kill comes a moment after a random number of trials, however fast the machine is.
        acknowledged.update(process.stdout.readline().strip() for _ in range(rng.integers(5, 30)))
        time.sleep(rng.uniform(0.0, 0.01))
        process.send_signal(signal.SIGKILL)
        *complete, _ = process.communicate()[0].split("\n")
        acknowledged.update(complete)
    with ResultsStore(StudyStorage(tmp_path)) as store:
        recorded = store.trial_ids()
    assert len(acknowledged) > 10 * kills
    assert acknowledged <= recorded
    assert len(recorded - acknowledged) <= kills, "at most the append in flight at each kill"
    assert_holds_exactly(tmp_path, set(recorded))


class CrashPoints:
    """Copies of a study before, during and after every write, rename and removal of a run."""

    def __init__(self, study: Path, copies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._study, self._copies = study, copies
        self.acknowledged: set[str] = set()
        self.taken: list[tuple[Path, set[str]]] = []
        write = os.write

        def torn_write(descriptor: int, data: bytes) -> int:
            half = write(descriptor, data[: len(data) // 2])
            self.take()
            return half + write(descriptor, data[half:])

        monkeypatch.setattr(write_ahead.os, "write", torn_write)
        monkeypatch.setattr(write_ahead.os, "fsync", self._around(os.fsync))
        monkeypatch.setattr(results_store.os, "replace", self._around(os.replace))
        monkeypatch.setattr(Path, "unlink", self._around(Path.unlink))

    def _around(self, function):
        def wrapped(*arguments, **options):
            self.take()
            result = function(*arguments, **options)
            self.take()
            return result

        return wrapped

    def take(self) -> None:
        copy = self._copies / f"{len(self.taken):04d}"
        shutil.copytree(self._study, copy)
        self.taken.append((copy, set(self.acknowledged)))


def test_from_every_point_of_a_run_the_replay_restores_each_trial_once(tmp_path, monkeypatch):
    study = tmp_path / "study"
    study.mkdir()
    with monkeypatch.context() as patch:
        points = CrashPoints(study, tmp_path / "copies", patch)
        with ResultsStore(StudyStorage(study)) as store:
            for number in range(5):
                store.append(rows_of(f"0-{number}"))
                points.acknowledged.add(f"0-{number}")
                if number % 3 == 1:
                    store.flush()
    assert len(points.taken) > 60
    for copy, acknowledged in points.taken:
        with ResultsStore(StudyStorage(copy)) as store:
            recorded = store.trial_ids()
            assert acknowledged <= recorded
            assert len(recorded - acknowledged) <= 1
            store.append(rows_of("1-4"))
        assert_holds_exactly(copy, {*recorded, "1-4"})


def test_a_replay_that_dies_itself_is_replayed(tmp_path, monkeypatch):
    study = tmp_path / "study"
    study.mkdir()
    store = ResultsStore(StudyStorage(study))
    trial_ids = {f"0-{number}" for number in range(1, 4)}
    for trial_id in sorted(trial_ids):
        store.append(rows_of(trial_id))
    shutil.copytree(study, tmp_path / "killed")
    store.close()
    with monkeypatch.context() as patch:
        points = CrashPoints(tmp_path / "killed", tmp_path / "copies", patch)
        points.acknowledged = trial_ids
        ResultsStore(StudyStorage(tmp_path / "killed")).close()
    assert len(points.taken) > 15
    for copy, _ in points.taken:
        ResultsStore(StudyStorage(copy)).close()
        assert_holds_exactly(copy, trial_ids)


def test_a_trial_is_visible_only_with_its_rows_in_the_other_tables(tmp_path, monkeypatch):
    seen: list[str] = []
    replace = os.replace
    monkeypatch.setattr(
        results_store.os, "replace", lambda a, b: (seen.append(Path(b).parent.name), replace(a, b))
    )
    with ResultsStore(StudyStorage(tmp_path)) as store:
        store.append(rows_of("0-4"))
    assert seen == ["epochs", "attacks", "matches", "trials"]


def test_a_flush_that_fails_loses_nothing_and_is_made_up_for(tmp_path, monkeypatch):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        store.append(rows_of("0-1"))
        with monkeypatch.context() as patch:
            calls: list[Path] = []

            def full_disk(source, target):
                calls.append(target)
                if len(calls) == 2:
                    raise OSError(28, "No space left on device")
                Path(source).rename(target)

            patch.setattr(results_store.os, "replace", full_disk)
            with pytest.raises(OSError, match="No space"):
                store.flush()
        assert len(parts(tmp_path, "epochs")) == 1
        store.append(rows_of("0-2"))
        assert store.flush_if_due(time.monotonic()), "what failed is due at once"
    assert_holds_exactly(tmp_path, {"0-1", "0-2"})


def test_an_append_that_fails_leaves_no_torn_line_behind(tmp_path, monkeypatch):
    with ResultsStore(StudyStorage(tmp_path)) as store:
        store.append(rows_of("0-1"))
        write = os.write
        with monkeypatch.context() as patch:

            def full_disk(descriptor: int, data: bytes) -> int:
                write(descriptor, data[:20])
                raise OSError(28, "No space left on device")

            patch.setattr(write_ahead.os, "write", full_disk)
            with pytest.raises(OSError, match="No space"):
                store.append(rows_of("0-2"))
        assert store.trial_ids() == {"0-1"}
        store.append(rows_of("0-3"))
        shutil.copytree(tmp_path, tmp_path.with_name("killed"))
    ResultsStore(StudyStorage(tmp_path.with_name("killed"))).close()
    assert_holds_exactly(tmp_path.with_name("killed"), {"0-1", "0-3"})


def test_a_damaged_line_before_the_last_is_named(tmp_path):
    killed = tmp_path / "killed"
    (tmp_path / "study").mkdir()
    with ResultsStore(StudyStorage(tmp_path / "study")) as store:
        for number in range(3):
            store.append(rows_of(f"0-{number}"))
        shutil.copytree(tmp_path / "study", killed)
    path = killed / "wal" / "segment-000001.jsonl"
    lines = path.read_bytes().splitlines()
    assert json.loads(lines[1])["trials"][0]["trial_id"] == "0-1"
    path.write_bytes(b"\n".join([lines[0], lines[1][:-9], lines[2]]) + b"\n")
    with pytest.raises(StudyError, match=r"segment-000001\.jsonl, line 2 is damaged"):
        ResultsStore(StudyStorage(killed))
    path.write_bytes(b"\n".join([lines[0], lines[1], b"\0\0" + lines[2][9:]]) + b"\n")
    ResultsStore(StudyStorage(killed)).close()
    assert_holds_exactly(killed, {"0-0", "0-1"})


def test_a_reader_in_a_loop_always_reads_whole_trials(tmp_path):
    process = writer(tmp_path, 0, 120, pause_seconds=0.005)
    reads = 0
    while process.poll() is None:
        if parts(tmp_path, "trials"):
            trials = pl.read_parquet(tmp_path / "results" / "trials" / "*.parquet", columns=["trial_id"])
            epochs = pl.read_parquet(tmp_path / "results" / "epochs" / "*.parquet", columns=["trial_id"])
            counts = Counter(epochs["trial_id"])
            assert trials["trial_id"].is_unique().all()
            assert [t for t in trials["trial_id"] if counts[t] != epochs_of(t)] == []
            assert epochs.is_empty() or counts.total() >= sum(epochs_of(t) for t in trials["trial_id"])
            reads += 1
    process.communicate()
    assert process.returncode == 0
    assert reads > 30
    assert_holds_exactly(tmp_path, {f"0-{number}" for number in range(120)})
