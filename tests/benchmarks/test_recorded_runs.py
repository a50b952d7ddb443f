"""Runs are recorded one by one, continue after an interruption, and never mix with other settings."""

from pathlib import Path

import pytest
from shared.recorded_runs import Options, RecordedRuns


def doubled(task: int) -> list[dict[str, int]]:
    return [{"task": task, "twice": 2 * task}]


def options(output: Path, dataset: str = "synthetic") -> Options:
    return Options(dataset, False, output, output.parent)


def test_a_second_opening_finds_what_the_first_recorded(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    first = RecordedRuns(options(path), epochs=3)
    assert first.rows == []
    first.run(doubled, [1, 2], str)
    again = RecordedRuns(options(path), epochs=3)
    assert again.rows == first.rows == [{"task": 1, "twice": 2}, {"task": 2, "twice": 4}]


@pytest.mark.parametrize(("dataset", "epochs"), [("synthetic", 4), ("folder:x", 3)])
def test_other_settings_are_refused_in_one_line(tmp_path: Path, dataset: str, epochs: int) -> None:
    path = tmp_path / "runs.jsonl"
    RecordedRuns(options(path), epochs=3)
    with pytest.raises(SystemExit, match=r"was begun with .* give another --output") as caught:
        RecordedRuns(options(path, dataset), epochs=epochs)
    assert "\n" not in str(caught.value)
