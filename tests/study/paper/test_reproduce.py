"""`paper` on real Ray: the options, the files in the folder, and no design trained twice."""

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

import aia_models
from aia_models.data.prepared.prepare import open_prepared
from aia_models.data.splits import split_faces
from aia_models.explain import image_classifier
from aia_models.explain.image_classifier import as_floats, load_image_classifier
from study.cli import run
from study.lifecycle.study_directory import open_study_directory
from study.paper.figure3 import figure_3

DESIGNS = "[{alpha=0.5, beta=0.5}, {alpha=0, beta=0.5}, {alpha=0.2, beta=0.5}, {alpha=0.5, beta=1}]"
TINY = [
    "image_side=16",
    "fixed.decoder_width=16",
    "training.stage1_epochs=1",
    "training.heads_epochs=1",
    "training.joint_epochs=1",
    f"designs={DESIGNS}",
]
pytestmark = pytest.mark.usefixtures("local_ray")
PICTURES = ("figure2a.png", "figure2b.png", "figure3.png")


def arguments(faces: Path, output: Path, *more: str, seeds: int = 1) -> list[str]:
    settings = [part for setting in TINY for part in ("--set", setting)]
    return ["paper", f"folder:{faces}", "-o", str(output), "--seeds", str(seeds), *settings, *more]


@pytest.fixture(scope="module")
def output(module_storage: Path, faces_folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_classifier, "EPOCHS", 1)
        assert run(arguments(faces_folder, module_storage / "run")) == 0
    return module_storage / "run"


def trials(output: Path) -> pl.DataFrame:
    return pl.read_parquet(output / "results" / "trials" / "*.parquet")


def refusal(capsys: pytest.CaptureFixture, given: list[str]) -> str:
    assert run(given) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_every_design_is_trained_with_its_in_loop_figures(output):
    rows = trials(output)
    assert sorted(rows["trial_id"]) == [
        "baseline-original", "baseline-random", "design-00", "design-01", "design-02", "design-03",
    ]  # fmt: skip
    assert (rows["status"] == "complete").all(), rows["error"].to_list()
    in_loop = rows.select(pl.col("^in_loop_.*_(validation|test)$"))
    assert in_loop.width == 10
    assert in_loop.null_count().sum_horizontal().item() == 0
    on_test = pl.read_parquet(output / "resamples" / "*.parquet").filter(split="test")
    assert on_test.group_by("trial_id", "figure").len()["len"].unique().to_list() == [200]


def test_the_folder_holds_tables_pictures_and_the_page(output):
    for name in PICTURES:
        assert (output / name).read_bytes().startswith(b"\x89PNG")
    query = f"select distinct method from '{output}/table1.parquet' order by method"
    assert duckdb.sql(query).fetchall() == [("AIA",), ("AIA\\T",), ("Original",), ("Random",)]
    means = duckdb.sql(
        f"select mean from '{output}/figure2.parquet' where panel = 'a' and beta = 0.5 and figure = 'attacker_auc'"
    ).fetchall()
    expected = trials(output).filter(trial_id="design-00")["attacker_auc_test"].item()
    assert means == [(pytest.approx(expected),)]
    assert duckdb.sql(f"select count(*) from '{output}/claims.parquet' where verdict is null").fetchall() == [
        (0,)
    ]
    page = (output / "paper.md").read_text()
    assert all(f"]({name})" in page for name in PICTURES)
    assert "6 of 6 trainings complete, 1 seed" in page
    assert "aia-study paper folder:" in page


def test_figure_3_shows_the_first_people_of_either_label_and_what_is_read_of_them(output):
    study = open_study_directory(output)
    shown, section = figure_3(study, "design-02")
    test = split_faces(open_prepared(study.prepared), ("gender",), 0).test
    people = list(zip(test.identity.tolist(), test.attributes["gender"].tolist(), strict=True))
    first = [
        next(row for row, face in enumerate(people) if face == (person, label))
        for label in (1, 0)
        for person in sorted({person for person, known in people if known == label})[:2]
    ]
    assert section.images == len(test)
    images = np.asarray(test.inputs)
    anonymizer = aia_models.load(output / "checkpoints" / "design-02")
    rebuilt = anonymizer.reconstruct(anonymizer.clean(images[first]))[:, 0].numpy()
    classifier = load_image_classifier(output / "image_classifier.safetensors", 16, "cpu")
    read = classifier.probabilities(as_floats(images[first], "cpu"))
    for face, row, after, probability in zip(shown, first, rebuilt, read, strict=True):
        assert np.array_equal(face.original, images[row, 0] / np.float32(255))
        np.testing.assert_allclose(face.reconstruction, after, atol=1e-6)
        assert face.label.startswith(f"gender {people[row][1]}, read as {int(probability > 0.5)}")
        assert face.probability_before == pytest.approx(max(probability, 1 - probability), abs=1e-6)


def test_the_same_command_again_trains_nothing_and_writes_the_page_anew(
    output, faces_folder, capsys, monkeypatch
):
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.safetensors")}
    (output / "paper.md").unlink()
    monkeypatch.setattr("study.tune.run_study.run_trials", lambda *_, **__: pytest.fail("nothing is lacking"))
    assert run(arguments(faces_folder, output)) == 0
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.safetensors")} == before
    assert (output / "paper.md").exists()
    assert str(output / "paper.md") in capsys.readouterr().out


def test_a_folder_that_is_no_run_is_not_touched(capsys, faces_folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("mine")
    line = refusal(capsys, arguments(faces_folder, tmp_path / "mine"))
    assert "choose another -o" in line
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["precious"]


def test_a_run_of_other_settings_is_not_gone_on_with(output, capsys, faces_folder):
    line = refusal(capsys, arguments(faces_folder, output, "--set", "training.joint_epochs=2"))
    assert "was begun with training.joint_epochs = 1, not 2" in line
    assert "-o" in line
    assert "seeds" in refusal(capsys, arguments(faces_folder, output, seeds=0))


@pytest.mark.parametrize(
    ("dataset", "named"), [("folder:nowhere", "nowhere"), ("webcam:0", "webcam"), ("folder:", "folder")]
)
def test_wrong_data_are_told_before_anything_is_made(capsys, tmp_path, dataset, named):
    line = refusal(capsys, ["paper", dataset, "-o", str(tmp_path / "run"), "--image-side", "16"])
    assert named in line
    assert not (tmp_path / "run").exists()


def test_designs_that_the_tables_need_are_asked_for(capsys, tmp_path, faces_folder):
    given = arguments(faces_folder, tmp_path / "run", "--set", "designs=[{alpha=0.5, beta=0.5}]")
    assert "designs lacks { alpha = 0.0, beta = 0.5 }" in refusal(capsys, given)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_more_seeds_train_only_what_is_new(output, faces_folder):
    before = trials(output)
    assert run(arguments(faces_folder, output, seeds=2)) == 0
    rows = trials(output)
    assert rows.height == 2 * before.height
    assert before.equals(rows.filter(pl.col("seed") == 0), null_equal=True)
    assert "12 of 12 trainings complete, 2 seeds" in (output / "paper.md").read_text()
    assert run(["front", str(output)]) == 0


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_was(tmp_path, faces_folder):
    output = tmp_path / "run"
    given = arguments(faces_folder, output)
    command = [str(Path(sys.executable).with_name("aia-study")), *given]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if "trials finished" in line:
            process.send_signal(signal.SIGINT)
            break
    last = process.stderr.read().splitlines()[-1]
    assert process.wait() == 130
    assert "continue with the same command: aia-study paper" in last
    assert not (output / "paper.md").exists()
    there = {row["trial_id"]: row["wall_seconds"] for row in trials(output).iter_rows(named=True)}
    assert 1 <= len(there) < 6
    assert run(given) == 0
    after = {row["trial_id"]: row["wall_seconds"] for row in trials(output).iter_rows(named=True)}
    assert len(after) == 6
    assert there.items() <= after.items()
    assert (output / "paper.md").exists()
