import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.errors import AnalysisError
from analysis.tables.reader import open_tables, read_trials
from analysis.tables.schema import SCHEMAS
from tests.table_version import TABLE_VERSION


def test_every_part_is_read(study_directory, searched) -> None:
    frame = searched(10)
    study = open_tables(study_directory(frame[:4], frame[4:]))
    assert isinstance(study.trials, pl.LazyFrame)
    assert_frame_equal(read_trials(study), frame, check_row_order=False)


@pytest.mark.parametrize("table", ["epochs", "attacks", "matches"])
def test_a_table_without_parts_is_empty_and_typed(study_directory, searched, table: str) -> None:
    frame = getattr(open_tables(study_directory(searched(2))), table).collect()
    assert frame.height == 0
    assert frame.schema == pl.DataFrame(SCHEMAS[table].empty_table()).schema


def test_rows_that_come_later_are_seen_by_the_next_reader(study_directory, searched) -> None:
    directory = study_directory(searched(2, baselines=False))
    first = open_tables(directory)
    searched(3, baselines=False).write_parquet(
        directory / "results" / "trials" / "late.parquet", metadata=TABLE_VERSION
    )
    assert read_trials(open_tables(directory)).height == 5
    assert read_trials(first).height in (2, 5)


def test_a_part_with_other_columns_is_refused_in_one_line(study_directory, searched) -> None:
    frame = searched(6)
    for number, other in enumerate((frame.drop("stage1_key"), frame.with_columns(new=1))):
        with pytest.raises(AnalysisError, match="expected Parquet with the columns of its table") as caught:
            read_trials(open_tables(study_directory(frame, other, name=str(number))))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a[1]", "a*", "with space", "what?"])
def test_names_that_look_like_patterns_are_names(study_directory, searched, name: str) -> None:
    frame = searched(2)
    assert read_trials(open_tables(study_directory(frame, name=name))).height == frame.height


def test_a_uri_is_read_like_a_path(study_directory, searched) -> None:
    frame = searched(2)
    directory = study_directory(frame)
    assert read_trials(open_tables(directory.as_uri())).height == frame.height


def test_what_is_no_study_is_named(tmp_path) -> None:
    with pytest.raises(AnalysisError, match=r"no study\.toml in it; expected the directory of a launched"):
        open_tables(tmp_path)
    with pytest.raises(AnalysisError, match="/nowhere: no study"):
        open_tables(tmp_path / "nowhere")


def test_a_study_without_finished_trials_says_so(study_directory, trials) -> None:
    with pytest.raises(AnalysisError, match="no trial has finished yet"):
        open_tables(study_directory())
    with pytest.raises(AnalysisError, match="no trial has finished yet"):
        open_tables(study_directory(trials([]), name="empty"))


def test_a_damaged_part_is_known_and_the_rest_is_read(study_directory, searched) -> None:
    frame = searched(2)
    directory = study_directory(frame)
    damaged = directory / "results" / "trials" / "9.parquet"
    damaged.write_bytes(b"no parquet at all")
    study = open_tables(directory)
    assert read_trials(study).height == frame.height
    (part,) = study.damaged()
    assert part.path == str(damaged)
    assert "\n" not in part.why
