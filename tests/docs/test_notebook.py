"""The cells of the notebook in examples/ run in order, and the notebook is stored without outputs."""

import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import plotnine as p9
import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "from_study_to_decision.ipynb"


@pytest.fixture(scope="module")
def notebook() -> dict[str, Any]:
    return json.loads(NOTEBOOK.read_text("utf-8"))


def test_it_is_a_notebook_of_format_4_5_without_outputs(notebook):
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    for cell in notebook["cells"]:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        code = {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        assert cell.keys() == {"cell_type", "id", "metadata", "source", *code}
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert all(line.endswith("\n") for line in cell["source"][:-1])


def test_its_cells_run_and_come_to_a_decision(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    plt.close("all")
    assert names["front"].height >= 3
    assert isinstance(names["picture"], p9.ggplot)
    assert names["chosen"].trial["attacker_auc_validation"] <= 0.7
    assert names["cost"] > 0
    assert names["released"].shape[0] == names["decoded"].shape[0] == 5
    assert list(tmp_path.iterdir()) == []
