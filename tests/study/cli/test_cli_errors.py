"""For bad input a command writes one line on stderr and nothing else, and exits with status 2.

The line says what is wrong, where, and what is expected.
"""

import tomllib
from pathlib import Path

import pytest

from study.cli import run
from study.lifecycle.study_directory import create_study, open_study_directory
from study.spec.files import load_spec, with_settings
from tests.small_faces import write_faces


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    return tmp_path / "studies"


def refusal(capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    assert run([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 1, err
    return lines[0]


def launch(capsys: pytest.CaptureFixture, storage: Path, dataset: str | Path, *more: str) -> str:
    source = dataset if isinstance(dataset, str) else f"folder:{dataset}"
    line = refusal(
        capsys, "launch", "quick", "--storage", storage, "--name", "s", "--dataset", source,
        "--set", "image_side=16", *more,
    )  # fmt: skip
    assert not (storage / "s").exists()
    return line


def test_unknown_key_in_the_spec(capsys, tmp_path, storage):
    (tmp_path / "mine.toml").write_text('space = "code"\ntrials = 4\ntrails = 5\n')
    line = refusal(capsys, "launch", tmp_path / "mine.toml", "--storage", storage)
    assert "mine.toml" in line
    assert "trails" in line
    assert "trials" in line.replace("trails", "")
    assert not storage.exists()


def test_wrong_type_in_the_spec(capsys, tmp_path, storage):
    (tmp_path / "mine.toml").write_text('space = "code"\ntrials = "four"\n')
    line = refusal(capsys, "launch", tmp_path / "mine.toml", "--storage", storage)
    assert "trials" in line
    assert "whole number" in line
    assert not storage.exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["launch", "quik"], "quick"),
        (["launch", "quick", "--trials", "none"], "--trials"),
        (["launch", "quick", "--trials", "0"], "trials = 0 is wrong"),
        (["launch", "quick", "--cpus-per-trial", "0"], "resources.cpus_per_trial = 0.0 is wrong"),
        (["launch", "quick", "--set", "seed"], "key=value"),
        (["launch", "quick", "--gpus-per-trial", "some"], "gpus_per_trial"),
        (["launch", "quick", "--storage", "ftp://bucket/x"], "ftp://bucket/x"),
        (["launch"], "SPEC"),
        (["lunch"], "launch"),
        (["front", "nowhere"], "study.toml"),
        (["front", "s3://"], "s3://BUCKET/FOLDER"),
        (["resume", "nowhere"], "study.toml"),
        (["confirm", "nowhere"], "study.toml"),
        (["confirm", "nowhere", "--seeds", "0"], "--seeds"),
        (["select", "nowhere"], "give at least one of"),
        (["front", "nowhere", "--format", "xml"], "json"),
        (["plot", "nowhere", "--kind", "importance"], "study.toml"),
        (["plot", "nowhere", "--against", "elsewhere"], "study.toml"),
        (["plot", "nowhere", "--kind", "pie"], "frontier"),
        (["plot", "nowhere", "--kind", "map", "--against", "elsewhere"], "leave out --kind map"),
    ],
)
def test_wrong_arguments(capsys, tmp_path, monkeypatch, arguments, named):
    monkeypatch.chdir(tmp_path)
    assert named in refusal(capsys, *arguments)
    assert not [*tmp_path.iterdir()]


def test_missing_labels(capsys, tmp_path, storage):
    (tmp_path / "faces").mkdir()
    assert "labels.csv" in launch(capsys, storage, tmp_path / "faces")


def test_missing_column(capsys, tmp_path, storage):
    folder = write_faces(tmp_path / "faces", ["male", "female"] * 20, 2)
    line = launch(capsys, storage, folder, "--set", "attribute=age")
    assert "age" in line
    assert "gender" in line


def test_unreadable_image(capsys, tmp_path, storage):
    folder = write_faces(tmp_path / "faces", ["male", "female"] * 20, 2)
    (folder / "images" / "007-1.png").write_bytes(b"no picture")
    assert "007-1.png" in launch(capsys, storage, folder)


def test_one_gender_only(capsys, tmp_path, storage):
    folder = write_faces(tmp_path / "faces", ["male"] * 40, 2)
    assert "gender" in launch(capsys, storage, folder)


def test_fewer_identities_than_splits_need(capsys, tmp_path, storage):
    folder = write_faces(tmp_path / "faces", ["male", "female"] * 2, 2)
    assert "identities" in launch(capsys, storage, folder)


def test_unknown_kind_of_data(capsys, storage):
    line = launch(capsys, storage, "webcam:0")
    assert "webcam" in line
    assert "folder" in line


def test_a_study_that_exists_is_not_touched(capsys, storage, faces_folder):
    (storage / "s").mkdir(parents=True)
    (storage / "s" / "precious").write_text("mine")
    line = refusal(
        capsys, "launch", "quick", "--storage", storage, "--name", "s", "--dataset", f"folder:{faces_folder}"
    )
    assert "resume" in line
    assert [path.name for path in (storage / "s").iterdir()] == ["precious"]


def test_dry_run_prints_the_resolved_spec_and_writes_nothing(capsys, storage, tmp_path):
    arguments = ["launch", "quick", "--dry-run", "--trials", "5", "--seed", "3", "--storage", str(storage)]
    assert run(arguments) == 0
    printed = capsys.readouterr().out
    assert not storage.exists()
    (tmp_path / "again.toml").write_text(printed)
    assert run(["launch", str(tmp_path / "again.toml"), "--dry-run", "--name", "quick-1"]) == 0
    assert capsys.readouterr().out == printed
    assert "trials = 5\n" in printed
    assert "seed = 3\n" in printed


def test_options_and_settings_reach_the_spec_with_their_types(capsys, storage):
    options = ["--dataset", "2024", "--cpus-per-trial", "0.5", "--gpus-per-trial", "0.25", "--trials", "5"]
    settings = ["--set", "warm_start=2024", "--set", "trials=6", "--set", "fixed.erasure=false"]
    assert run(["launch", "quick", "--dry-run", "--storage", str(storage), *options, *settings]) == 0
    spec = tomllib.loads(capsys.readouterr().out)
    assert (spec["dataset"], spec["warm_start"], spec["trials"]) == ("2024", "2024", 6), "--set wins"
    assert (spec["resources"]["cpus_per_trial"], spec["resources"]["gpus_per_trial"]) == (0.5, 0.25)
    assert spec["fixed"]["erasure"] is False


@pytest.mark.parametrize(
    "command", ["launch", "resume", "prepare", "status", "front", "select", "plot", "fetch", "dashboard"]
)
def test_every_command_has_help_with_an_example(capsys, command):
    assert run([command, "--help"]) == 0
    assert f"Example: aia-study {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("setting", "named"),
    [("fixed.quantise_bits=20", "channel.bits = 20"), ("fixed.noise_sd=0", "channel.noise_sd = 0")],
)
def test_a_fixed_value_that_one_choice_of_the_space_cannot_train(capsys, storage, setting, named):
    line = refusal(capsys, "launch", "alpha-beta", "--storage", storage, "--set", setting)
    assert named in line
    assert not storage.exists()


def test_a_picture_that_cannot_be_written(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "study.cli.read_commands.plot", lambda *_: (tmp_path / "missing" / "x.png").write_bytes(b"")
    )
    assert "x.png: No such file" in refusal(capsys, "plot", "s", "-o", tmp_path / "missing" / "x.png")


def test_resume_refuses_other_faces_than_at_launch(capsys, tmp_path, storage, faces_folder):
    spec = with_settings(load_spec("quick"), [f"dataset=folder:{faces_folder}", "image_side=16"])
    study = create_study(spec, storage)
    assert open_study_directory(study.path) == study
    changed = storage / "quick" / "study.toml"
    changed.write_text(changed.read_text().replace(study.spec.data_fingerprint or "", "0" * 64))
    assert "other faces than at launch" in refusal(capsys, "resume", study.path)
