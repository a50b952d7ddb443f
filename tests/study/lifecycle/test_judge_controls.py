"""A study's judge controls, and the versions of its judge and of its tables."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aia_models.errors import ControlError
from aia_models.judging.controls import Floor
from aia_models.judging.judge import JUDGE_VERSION
from analysis.tables.schema import SCHEMA_KEY, SCHEMA_VERSION, SCHEMAS, to_table
from study.cli import run
from study.lifecycle import judge_controls
from study.lifecycle.study_directory import create_study
from study.spec.files import load_spec, with_settings
from study.spec.spec import with_defaults


@pytest.fixture
def settings(faces_folder: Path) -> list[str]:
    return [f"dataset=folder:{faces_folder}", "image_side=16", "name=judged", "trials=1", "baselines=[]"]


def test_controls_are_run_once_for_faces_and_split(
    settings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    original = judge_controls.judge_controls

    def counted(faces, seed):
        calls.append(seed)
        return original(faces, seed)

    monkeypatch.setattr(judge_controls, "judge_controls", counted)
    written = []
    for name, more in (("a", []), ("b", ["seed=4"]), ("c", ["split_seed=1"])):
        spec = with_defaults(with_settings(load_spec("quick"), [*settings, f"name={name}", *more]))
        study = create_study(spec, tmp_path)
        assert study.spec.judge_version == JUDGE_VERSION
        written.append((study.path / "controls.json").read_text())
    assert len(calls) == 2, "the second study has the first one's faces and split"
    assert written[0] == written[1] != written[2]
    content = json.loads(written[0])
    assert all(Floor(**floor).holds for floor in content["floors"])


def test_a_failed_control_stops_the_launch_before_there_is_a_study(
    settings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*given):
        raise ControlError("shuffled attribute: rbf_svm reads gender")

    monkeypatch.setattr(judge_controls, "judge_controls", fail)
    options = [part for setting in settings if "name=" not in setting for part in ("--set", setting)]
    assert run(["launch", "quick", "--storage", str(tmp_path), "--name", "judged", *options]) == 2
    assert "shuffled attribute: rbf_svm reads gender" in capsys.readouterr().err
    assert not (tmp_path / "judged").exists()
    assert not list((tmp_path / ".prepared").glob("controls-*"))


@pytest.mark.parametrize("more", [[], ["--trials", "9"]])
def test_a_study_of_another_judge_is_not_gone_on_with(
    more: list[str], settings: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = create_study(with_defaults(with_settings(load_spec("quick"), settings)), tmp_path)
    file = study.path / "study.toml"
    file.write_text(file.read_text().replace(f"judge_version = {JUDGE_VERSION}\n", "judge_version = 1\n"))
    before = file.read_text()
    assert run(["resume", str(study.path), *more]) == 2
    line = capsys.readouterr().err
    assert file.read_text() == before
    assert f"was judged by version 1 of the judge, this release has version {JUDGE_VERSION}" in line
    assert not (study.path / "results").exists()


@pytest.mark.parametrize("command", [["resume"], ["resume", "--trials", "99"], ["confirm"]])
def test_a_study_with_other_tables_is_not_gone_on_with(
    command: list[str], settings: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = create_study(with_defaults(with_settings(load_spec("quick"), [*settings, "trials=5"])), tmp_path)
    row = {
        "trial_id": "trial-00000",
        "design_id": "d",
        "phase": "search",
        "method": "aia",
        "status": "complete",
    }
    row |= {"seed": 0, "split_seed": 0, "attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    table = to_table([row], SCHEMAS["trials"])
    older = table.replace_schema_metadata({**table.schema.metadata, SCHEMA_KEY: b"2"})
    part = study.path / "results" / "trials" / "part-000001.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(older, part)
    before = sorted(path for path in (study.path / "results").rglob("*"))
    assert run([command[0], str(study.path), *command[1:]]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{part} has table version 2, this release has version {SCHEMA_VERSION}" in line
    assert sorted(path for path in (study.path / "results").rglob("*")) == before
