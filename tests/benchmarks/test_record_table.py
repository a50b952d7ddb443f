"""A recording continues only with the options with which it began."""

import sys
from pathlib import Path

import pytest
import record_table

from study.spec.files import to_toml


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        (["--designs", "8", "--seeds", "1"], "designs"),
        (["--designs", "4", "--seeds", "3"], "seeds"),
        (["--designs", "4", "--seeds", "1", "--spec", "alpha-beta"], "space"),
    ],
)
def test_other_options_than_those_of_then_are_refused_in_one_line(
    more: list[str],
    wrong: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded" / "study.toml").write_text(
        to_toml(record_table.recorded_spec(str(record_table.SPEC), 4, 1))
    )
    table = tmp_path / "table.parquet"
    monkeypatch.setattr(sys, "argv", ["record_table.py", str(tmp_path), "--table", str(table), *more])
    with pytest.raises(SystemExit, match="2"):
        record_table.main()
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{tmp_path / 'recorded'} was begun with other {wrong}: give the options of then" in said
    assert not table.exists()
