"""The lines of docs/data.md that match protected templates run as they are written there."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

DOC = Path(__file__).parents[2] / "docs" / "data.md"


def test_probes_find_their_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(6, 8)).astype(np.float32)
    people = [f"p{number}" for number in range(6)]
    pl.DataFrame({"identity": people, "g": 3 * codes}).write_parquet(tmp_path / "gallery.parquet")
    probes = codes[[4, 1]] + rng.normal(0, 0.1, (2, 8)).astype(np.float32)
    pl.DataFrame({"identity": ["p4", "p1"], "g": probes}).write_parquet(tmp_path / "probes.parquet")
    monkeypatch.chdir(tmp_path)
    (lines,) = re.findall(r"```python\n(.+?)```", DOC.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(lines, names)
    assert names["cosine"].shape == (2, 6)
    assert names["found"].to_list() == ["p4", "p1"]
