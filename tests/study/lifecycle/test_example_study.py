"""Every command that reads a study works on the shipped example study, and none writes to it."""

import json
import re
import tomllib
from pathlib import Path

import moocore
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import aia_models
from analysis.fronts.candidates import candidates
from analysis.fronts.pareto import pareto_front
from analysis.tables.reader import TABLES, open_tables, read_trials
from study.cli import run
from study.console import PictureKind
from study.lifecycle.example_study import example_directory
from study.search.importance import importance_rows
from study.spec.files import load_spec
from study.spec.spec import searched_space

ROOT = Path(__file__).parents[3]
MAX_BYTES = 7 * 2**20
SHIPPED = example_directory()


def files() -> dict[str, tuple[int, int]]:
    """Return the size and modification time of each file that ships."""
    paths = [path for path in sorted(SHIPPED.rglob("*")) if path.is_file()]
    return {str(path.relative_to(SHIPPED)): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def untouched():
    before = files()
    yield
    assert files() == before


def answer(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    assert run(list(arguments)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_its_front_is_printed(capsys):
    front = json.loads(answer(capsys, "front", "example", "--format", "json"))
    assert {(row["source"], row["seeds"]) for row in front} == {("confirm", 2)}
    figures = ("attacker_auc_validation", "matching_auc_validation")
    confirmed = read_trials(open_tables(SHIPPED)).filter(phase="confirm")
    means = confirmed.group_by("design_id").agg(pl.col(figures).mean())
    costs = means.select(figures[0], -pl.col(figures[1])).to_numpy()
    optimal = means.filter(pl.Series(moocore.is_nondominated(costs)))
    assert means.height == pareto_front(read_trials(open_tables(SHIPPED)).filter(phase="search")).height
    assert {row["design_id"] for row in front} == set(optimal["design_id"])
    table = answer(capsys, "front", "example")
    assert all(row["trial_id"] in table for row in front)


def test_the_selected_checkpoint_encodes(capsys):
    chosen = json.loads(answer(capsys, "select", "example", "--knee", "--format", "json"))
    encoder = aia_models.load(chosen["checkpoint"])
    images = np.zeros((2, *encoder.input_shape), np.uint8)
    assert encoder.encode(images).shape[0] == 2


def test_its_status_has_no_failures_and_nothing_damaged(capsys):
    summary = json.loads(answer(capsys, "status", "example", "--format", "json"))
    assert (summary["errors"], summary["damaged"]) == ([], [])
    assert summary["phases"]["search"]["complete"] > 0


def test_a_picture_of_it_goes_where_one_is_and_not_into_the_package(capsys, elsewhere):
    assert "frontier: example-frontier.png" in answer(capsys, "plot", "example")
    assert (elsewhere / "example-frontier.png").read_bytes().startswith(b"\x89PNG")
    answer(capsys, "plot", "example", "-o", "x.png")
    assert (elsewhere / "x.png").is_file()


@pytest.mark.parametrize("kind", sorted(set(PictureKind) - {PictureKind.RUNGS}))
def test_each_picture_of_it_is_drawn(capsys, elsewhere, kind):
    answer(capsys, "plot", "example", "--kind", kind)
    assert (elsewhere / f"example-{kind}.png").read_bytes().startswith(b"\x89PNG")


def test_its_page_shows_reconstructions_of_every_design_on_the_front(capsys, elsewhere):
    front = json.loads(answer(capsys, "front", "example", "--format", "json"))
    answer(capsys, "report", "example")
    data = re.search(r'id="data"[^>]*>(.*?)</script>', (elsewhere / "example-report.html").read_text("utf-8"))
    assert data
    shown = {design["id"]: design for design in json.loads(data[1])["designs"]}
    assert all(shown[row["trial_id"]]["image"].startswith("data:image/png") for row in front)


def test_its_checkpoints_can_be_fetched(capsys, elsewhere):
    trial = json.loads(answer(capsys, "select", "example", "--knee", "--format", "json"))["trial_id"]
    answer(capsys, "fetch", "example", trial, "-o", "mine")
    aia_models.load(elsewhere / "mine")


@pytest.mark.parametrize("given", ["example", str(SHIPPED)])
@pytest.mark.parametrize("command", [["resume"], ["resume", "--trials", "99"], ["confirm"]])
def test_what_writes_to_a_study_refuses_it(capsys, command, given):
    assert run([command[0], given, *command[1:]]) == 2
    assert f"{given}: the study that ships is only read" in capsys.readouterr().err


def test_a_directory_of_that_name_comes_first(capsys, elsewhere):
    (elsewhere / "example").mkdir()
    assert run(["front", "example"]) == 2
    assert "example: no study.toml in it" in capsys.readouterr().err


def test_everything_in_it_is_installed_with_the_package():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    patterns = package["package-data"]["study"]
    installed = {path for pattern in patterns for path in (ROOT / "study").glob(pattern)}
    assert {SHIPPED / name for name in files()} <= installed


def test_it_is_small_and_names_no_place_on_the_machine_that_recorded_it():
    sizes = files()
    assert sum(size for size, _ in sizes.values()) < MAX_BYTES
    for name in sizes:
        if Path(name).suffix in (".toml", ".json", ".journal"):
            assert '"/' not in (SHIPPED / name).read_text("utf-8"), name
    tables = open_tables(SHIPPED)
    for table in TABLES:
        texts = getattr(tables, table).select(pl.col(pl.String)).collect()
        assert not any(column.str.starts_with("/").any() for column in texts), table


def test_its_importance_is_that_of_its_trials():
    spec = load_spec(str(SHIPPED / "study.toml"))
    rows = importance_rows(read_trials(open_tables(SHIPPED)), searched_space(spec), spec.search_objectives)
    shipped = pq.read_table(SHIPPED / "importance.parquet").to_pylist()
    assert {tuple(row[name] for name in ("target", "hyperparameter", "trials")) for row in rows} == {
        tuple(row[name] for name in ("target", "hyperparameter", "trials")) for row in shipped
    }


def test_each_table_is_one_part():
    assert [len(list((SHIPPED / "results" / table).glob("*.parquet"))) for table in TABLES] == [1, 1, 1, 1]


def test_the_checkpoints_of_confirmed_designs_are_there():
    kept = {folder.name for folder in (SHIPPED / "checkpoints").iterdir()}
    assert kept == set(candidates(read_trials(open_tables(SHIPPED)))["trial_id"])
