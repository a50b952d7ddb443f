"""A study whose attacker also learns from the people of another data set."""

from pathlib import Path

import numpy as np
import pytest

from aia_models.data.prepared.prepare import open_prepared
from study.cli import run
from study.lifecycle.study_directory import StudyDirectory, create_study, open_study_directory
from study.spec.files import load_spec, with_settings
from study.spec.spec import with_defaults
from tests.small_faces import GENDERS, write_faces


@pytest.fixture
def other_folder(tmp_path: Path) -> Path:
    return write_faces(tmp_path / "other", GENDERS[:30], images_per_identity=2)


def create(faces_folder: Path, storage: Path, attack_dataset: object) -> StudyDirectory:
    settings = [f"dataset=folder:{faces_folder}", f"attack_dataset={attack_dataset}", "image_side=16"]
    return create_study(with_defaults(with_settings(load_spec("quick"), [*settings, "name=two"])), storage)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run([str(argument) for argument in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_other_faces_are_prepared_like_the_studys_own_and_their_fingerprint_is_frozen(
    faces_folder: Path, other_folder: Path, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(other_folder.parent)
    study = create(faces_folder, storage, "folder:other")
    assert study.attack_prepared is not None
    faces = open_prepared(study.attack_prepared)
    assert (len(faces), faces.input_shape) == (60, (1, 16, 16))
    assert study.spec.attack_dataset == f"folder:{other_folder}"
    assert study.spec.attack_data_fingerprint == faces.fingerprint != study.spec.data_fingerprint
    monkeypatch.chdir(faces_folder)
    assert open_study_directory(study.path) == study


def test_resume_refuses_other_people_than_at_launch(
    capsys: pytest.CaptureFixture[str], faces_folder: Path, other_folder: Path, storage: Path
) -> None:
    study = create(faces_folder, storage, f"folder:{other_folder}")
    labels = other_folder / "labels.csv"
    labels.write_text(labels.read_text().replace("person-000", "person-100"))
    line = refusal(capsys, "resume", study.path)
    assert f"folder:{other_folder} holds other faces than at launch" in line


def test_a_data_set_that_lacks_the_attribute_is_refused_with_what_is_missing(
    capsys: pytest.CaptureFixture[str], faces_folder: Path, other_folder: Path, storage: Path
) -> None:
    labels = other_folder / "labels.csv"
    labels.write_text(labels.read_text().replace("gender", "young"))
    given = f"folder:{other_folder}"
    command = [
        "launch",
        "quick",
        "--storage",
        storage,
        "--name",
        "two",
        "--dataset",
        f"folder:{faces_folder}",
    ]
    line = refusal(capsys, *command, "--set", "image_side=16", "--set", f"attack_dataset={given}")
    assert f"attack_dataset = {given}: " in line
    assert "has no attribute 'gender': its attributes are young" in line
    assert not (storage / "two").exists()


def test_templates_beside_images_are_refused(
    capsys: pytest.CaptureFixture[str], faces_folder: Path, storage: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 2)
    np.savez(
        tmp_path / "t.npz",
        identity=people.astype(str),
        gender=np.where(people % 2, "male", "female"),
        template=rng.normal(size=(80, 8)),
    )
    command = [
        "launch",
        "quick",
        "--storage",
        storage,
        "--name",
        "two",
        "--dataset",
        f"folder:{faces_folder}",
    ]
    given = f"templates:{tmp_path / 't.npz'}"
    line = refusal(capsys, *command, "--set", "image_side=16", "--set", f"attack_dataset={given}")
    assert f"attack_dataset = {given}: holds templates of 8 values; needs images" in line
    assert not (storage / "two").exists()


def test_the_people_of_the_study_itself_are_refused(
    capsys: pytest.CaptureFixture[str], faces_folder: Path, storage: Path
) -> None:
    own = f"folder:{faces_folder}"
    command = ["launch", "quick", "--storage", storage, "--name", "two", "--dataset", own]
    line = refusal(capsys, *command, "--set", "image_side=16", "--set", f"attack_dataset={own}")
    assert f"attack_dataset = {own}: holds the faces of the study itself" in line
    assert not (storage / "two").exists()
