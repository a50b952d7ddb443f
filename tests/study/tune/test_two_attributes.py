"""A study of two private attributes, each with its own objective, on real Ray."""

import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

import aia_models
from aia_models.judging.attackers import ATTACKERS
from analysis.fronts.pareto import is_nondominated
from study.cli import run

pytestmark = pytest.mark.usefixtures("local_ray")
EACH = [f"attacker_auc_attribute_{number}_validation" for number in (1, 2)]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, faces_folder: Path, tiny_settings: list[str]) -> Path:
    root = tmp_path_factory.mktemp("two")
    folder = shutil.copytree(faces_folder, root / "faces")
    labels = pl.read_csv(folder / "labels.csv")
    person = pl.col("identity").str.slice(-3).cast(pl.Int64)
    labels.with_columns(young=(person // 2 % 2)).write_csv(folder / "labels.csv")
    other = shutil.copytree(folder, root / "other")
    people = pl.read_csv(other / "labels.csv").with_columns(identity="other-" + pl.col("identity"))
    people.write_csv(other / "labels.csv")
    settings = [
        f"attack_dataset=folder:{other}",
        'attribute=["gender", "young"]',
        "objectives=per_attribute",
        "baselines=[]",
    ]
    arguments = [part for setting in settings for part in ("--set", setting)]
    command = ["launch", "quick", "--storage", str(root), "--name", "two", "--trials", "2", *tiny_settings]
    assert run([*command, *arguments, "--dataset", f"folder:{folder}"]) == 0
    return root / "two"


def rows(study: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(study / "results" / table / "*.parquet")


def test_each_attribute_has_its_attackers_and_the_worst_counts(study: Path) -> None:
    trials, attacks = rows(study, "trials"), rows(study, "attacks")
    assert trials["status"].to_list() == ["complete", "complete"]
    attackers = [set(attacks.filter(attribute=name)["attacker"]) for name in ("gender", "young")]
    assert attackers[0] == attackers[1] > set(ATTACKERS)
    assert trials["other_attacker_auc_validation"].null_count() == 0
    worst = trials.select(pl.max_horizontal(EACH) == pl.col("attacker_auc_validation"))
    assert worst.to_series().all()
    assert trials["attacker_auc_attribute_3_validation"].null_count() == 2
    assert trials["private_attributes"].to_list() == [2, 2]
    assert trials["beta_2"].null_count() == 0


def test_front_is_over_three_objectives(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["front", str(study), "--format", "json"]) == 0
    front = {row["trial_id"] for row in json.loads(capsys.readouterr().out)}
    trials = rows(study, "trials")
    costs = trials.select(*EACH, -pl.col("matching_auc_validation")).to_numpy()
    assert front == set(trials.filter(pl.Series(is_nondominated(costs)))["trial_id"])
    journal = [json.loads(line) for line in (study / "search.journal").read_text().splitlines()]
    assert next(entry["directions"] for entry in journal if "directions" in entry) == [1, 1, 2]


def test_checkpoint_erases_both_and_other_tools_read_the_tables(study: Path) -> None:
    trials = rows(study, "trials")
    erased = trials.filter(pl.col("erasure"))["checkpoint"][0]
    encoder = aia_models.load(study / erased)
    assert encoder.channel.eraser_direction.shape[0] == 2
    assert bool(encoder.channel.eraser_direction.any(1).all())
    pattern = str(study / "results" / "attacks" / "*.parquet")
    assert duckdb.sql(f"select count(distinct attribute) from '{pattern}'").fetchall() == [(2,)]


def test_controls_stand_beside_the_study(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    controls = json.loads((study / "controls.json").read_text())
    assert {floor["attribute"] for floor in controls["floors"]} == {"gender", "young"}
    assert run(["front", str(study)]) == 0
    assert "raw inputs, the ceiling, AUC on validation" in capsys.readouterr().out
