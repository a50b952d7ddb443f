"""A recorded study is read as arrays and condensed into one file."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from study.cli import run
from study.errors import StudyError
from study.replay.recording import Recording, read_recording, write_table
from study.spec.files import to_toml
from tests.study.replay.recordings import EPOCHS, recording, write_study


def assert_same(left: Recording, right: Recording) -> None:
    assert left.spec == right.spec
    for name in ("points", "seeds", "objectives", "training_seconds", "judging_seconds", "stage1_seconds"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)


def test_a_study_directory_holds_what_was_recorded(tmp_path):
    source = recording(7)
    assert_same(read_recording(write_study(tmp_path / "s", source)), source)


def test_one_file_holds_the_same_as_the_directory(tmp_path):
    directory = write_study(tmp_path / "s", recording(7), {"design-03-seed-1": "diverged"})
    write_table(directory, tmp_path / "table.parquet")
    read = read_recording(tmp_path / "table.parquet")
    assert_same(read, read_recording(directory))
    assert read.dropped_trials == 1


def test_the_file_is_typed_described_and_read_by_duckdb(tmp_path):
    source = recording(5)
    write_table(write_study(tmp_path / "s", source), tmp_path / "table.parquet")
    schema = pq.read_schema(tmp_path / "table.parquet")
    assert all(field.metadata[b"about"] for field in schema)
    assert schema.metadata[b"aia_study_spec"].decode() == to_toml(source.spec)
    figures = "count(*), count(noise_sd), max(joint_epoch), min(attacker_auc_validation)"
    query = f"select {figures} from '{tmp_path}/table.parquet'"
    rows, noisy, last, least = duckdb.sql(query).fetchall()[0]
    assert (rows, last) == (5 * 2 * EPOCHS, EPOCHS)
    assert noisy == 2 * EPOCHS * sum("noise_sd" in design for design in source.spec.designs)
    assert least == source.objectives[..., 0].min()


def test_seeds_that_did_not_complete_are_dropped_and_counted(tmp_path):
    source = recording(4)
    ends = {"design-00": "failed", "design-02": "diverged", "design-02-seed-1": "stopped_early"}
    read = read_recording(write_study(tmp_path / "s", source, ends))
    assert read.seeds.tolist() == [1, 2, 2]
    assert read.dropped_trials == 3
    assert "3 trials dropped" in read.evidence
    np.testing.assert_array_equal(read.points, source.points[[0, 1, 3]])
    np.testing.assert_array_equal(read.objectives[0, 0], source.objectives[0, 1])
    assert np.isnan(read.objectives[0, 1]).all()


def write_text(path: Path) -> Path:
    path.write_text("no table")
    return path


def other_parquet(path: Path) -> Path:
    pq.write_table(pq.read_table(write_study(path.with_name("s"), recording(2)) / "results/trials"), path)
    return path


def truncated(path: Path) -> Path:
    write_table(write_study(path.with_name("s"), recording(2)), path)
    pq.write_table(pq.read_table(path).slice(1), path)
    return path


def without_metadata(path: Path) -> Path:
    write_table(write_study(path.with_name("s"), recording(2)), path)
    table = pq.read_table(path)
    kept = {b"aia_study_spec": table.schema.metadata[b"aia_study_spec"]}
    pq.write_table(table.replace_schema_metadata(kept), path)
    return path


@pytest.mark.parametrize(
    ("write", "named"),
    [
        (without_metadata, "its metadata lacks aia_study_dropped_trials"),
        (lambda path: path, "no such file"),
        (write_text, "no Parquet file"),
        (other_parquet, "no recorded study"),
        (truncated, "needs 1 to 6"),
        (lambda path: write_study(path, recording(2), judged=[1, 6]), "was not judged after joint epoch 2"),
        (lambda path: write_study(path, recording(1, 1), {"design-00": "failed"}), "no trial is complete"),
    ],
)
def test_what_is_no_recording_is_told_in_one_line(capsys, tmp_path, write, named):
    path = write(tmp_path / "table")
    with pytest.raises(StudyError, match=named):
        read_recording(path)
    assert run(["simulate", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert named in err
    assert str(path) in err
