"""`aia-study embed` makes templates of a labelled data set's images, which `templates:FILE` then reads."""

import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from aia_models.data.prepared.prepare import open_prepared
from aia_models.data.sources.drawn.synthetic import IMAGES_PER_IDENTITY, draw_images, is_male
from aia_models.embedding import template_blocks
from aia_models.embedding.onnx_network import OnnxNetwork
from study.cli import run
from tests.aia_models.data.annotated_faces import CelebA
from tests.aia_models.embedding.onnx_models import VALUES, weights, write_linear
from tests.small_faces import SIDE, as_options

FACES = 240  # of the folder of small faces


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_linear(tmp_path / "net.onnx", ["n", 3, SIDE, SIDE])


def embed(dataset: str, model: Path | str, output: Path, *options: str) -> int:
    return run(["embed", dataset, "--model", str(model), "-o", str(output), *options])


def expected_templates(images: list[Path]) -> np.ndarray:
    """Return what PyTorch makes of the crops with the map of `write_linear`."""
    pixels = torch.stack([torch.from_numpy(np.array(Image.open(path).convert("RGB"))) for path in images])
    normal = (pixels.permute(0, 3, 1, 2).double() - 127.5) / 127.5
    return (normal.flatten(1) @ torch.from_numpy(weights(3 * SIDE * SIDE)).double()).numpy()


def test_a_folder_becomes_templates_beside_its_labels(
    tmp_path: Path, faces_folder: Path, model: Path, capsys
) -> None:
    output = tmp_path / "new" / "t.parquet"
    assert embed(f"folder:{faces_folder}", model, output) == 0
    assert f"{FACES} of {FACES} images embedded, templates of {VALUES} values" in capsys.readouterr().out
    labels, found = pl.read_csv(faces_folder / "labels.csv"), pl.read_parquet(output)
    assert found.schema == {**labels.schema, "template": pl.Array(pl.Float32, VALUES)}
    assert found.drop("template").equals(labels)
    expected = expected_templates([faces_folder / name for name in labels["image"]])
    np.testing.assert_allclose(found["template"].to_numpy(), expected, rtol=1e-4, atol=1e-4)
    assert [path.name for path in output.parent.iterdir()] == ["t.parquet"]


def test_the_file_is_prepared_and_read_by_other_tools(
    tmp_path: Path, faces_folder: Path, model: Path, capsys
) -> None:
    output = tmp_path / "t.parquet"
    assert embed(f"folder:{faces_folder}", model, output) == 0
    capsys.readouterr()
    assert run(["prepare", f"templates:{output}", "--storage", str(tmp_path / "studies")]) == 0
    prepared = open_prepared(Path(capsys.readouterr().out.splitlines()[-1].removeprefix("prepared: ")))
    table = pd.read_parquet(output)
    np.testing.assert_array_equal(np.asarray(prepared.inputs), np.stack(table["template"].tolist()))
    assert [prepared.identity_names[person] for person in prepared.identity] == table["identity"].tolist()
    assert prepared.attributes["gender"].tolist() == [int(gender == "male") for gender in table["gender"]]
    (row,) = duckdb.sql(
        f"select count(*), min(len(template)), count(distinct image) from '{output}'"
    ).fetchall()
    assert row == (FACES, VALUES, FACES)


def test_unknown_attributes_are_null_and_unreadable_images_are_left_out(
    tmp_path: Path, model: Path, capsys
) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    for name in "abc":
        Image.new("L", (SIDE, SIDE), 40).save(folder / f"{name}.png")
    (folder / "b.png").write_text("no image")
    (folder / "labels.csv").write_text("image,identity,gender,age\na.png,p, ,30\nb.png,p,f,31\nc.png,q,m,\n")
    output = tmp_path / "t.parquet"
    assert embed(f"folder:{folder}", model, output) == 0
    out, err = capsys.readouterr()
    assert "2 of 3 images embedded, templates of 5 values, 1 left out" in out
    assert err == f"left out: {folder / 'b.png'} is no PNG or JPEG image\n"
    found = pl.read_parquet(output)
    assert found.drop("template").rows() == [("a.png", "p", None, "30"), ("c.png", "q", "m", None)]


def test_all_attributes_of_celeba_are_kept_as_they_are_written(tmp_path: Path, model: Path, capsys) -> None:
    celeba = CelebA(tmp_path / "celeba", people=60)
    celeba.write()
    output = tmp_path / "t.parquet"
    assert embed(f"celeba:{celeba.root}", model, output) == 0
    found = pl.read_parquet(output)
    assert found["image"].to_list() == celeba.names
    assert set(found["Male"]) == {"1", "-1"}
    arguments = ["prepare", f"templates:{output}", "--attribute", "Male", "--storage", str(tmp_path)]
    assert run(arguments) == 0


def test_drawn_faces_have_rows_instead_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aia_models.data.sources.drawn.synthetic.IDENTITIES", 10)
    model = write_linear(tmp_path / "net.onnx", ["n", 1, "h", "w"])
    output = tmp_path / "t.parquet"
    assert embed("synthetic", model, output, "--side", "32", "--mean", "0", "--sd", "255") == 0
    found = pl.read_parquet(output)
    assert found.columns == ["row", "identity", "gender", "template"]
    assert found["row"].to_list() == [*range(60)]
    means = found["template"].to_numpy() / weights(1)
    assert ((means > 0.1) & (means < 0.9)).all()
    assert np.ptp(means, axis=1).max() < 1e-4


KILLED = """
import os, signal, sys
from aia_models.embedding import template_blocks
from aia_models.embedding.onnx_network import OnnxNetwork
from study.cli import run
template_blocks.BLOCK_IMAGES = 40
embed, calls = OnnxNetwork.embed, []
def embed_thrice(network, crops):  # once to try the network, then two blocks
    calls.append(len(crops))
    if len(calls) > 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return embed(network, crops)
OnnxNetwork.embed = embed_thrice
run(sys.argv[1:])
"""


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of crops of each call of a network, in blocks of 40 images."""
    monkeypatch.setattr(template_blocks, "BLOCK_IMAGES", 40)
    calls: list[int] = []
    real = OnnxNetwork.embed

    def counted(network: OnnxNetwork, crops: np.ndarray) -> np.ndarray:
        calls.append(len(crops))
        return real(network, crops)

    monkeypatch.setattr(OnnxNetwork, "embed", counted)
    return calls


def test_a_killed_run_continues_after_its_last_block(
    tmp_path: Path, faces_folder: Path, model: Path, embedded: list[int]
) -> None:
    dataset, output, undisturbed = f"folder:{faces_folder}", tmp_path / "t.parquet", tmp_path / "u.parquet"
    arguments = ["embed", dataset, "--model", str(model), "-o", str(output)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not output.exists()
    (unfinished,) = tmp_path.glob(".t.parquet.*.blocks")
    assert len([*unfinished.glob("*.safetensors")]) == 2
    assert run(arguments) == 0
    assert embedded == [2, 40, 40, 40, 40]
    assert embed(dataset, model, undisturbed) == 0
    assert output.read_bytes() == undisturbed.read_bytes()
    assert not [*tmp_path.glob(".*")]


def test_an_interrupt_keeps_finished_blocks_for_the_same_options_only(
    tmp_path: Path,
    faces_folder: Path,
    model: Path,
    embedded: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capsys,
) -> None:
    dataset, output = f"folder:{faces_folder}", tmp_path / "t.parquet"
    counted = OnnxNetwork.embed

    def interrupted(network: OnnxNetwork, crops: np.ndarray) -> np.ndarray:
        if len(embedded) == 4:
            raise KeyboardInterrupt
        return counted(network, crops)

    with monkeypatch.context() as patch:
        patch.setattr(OnnxNetwork, "embed", interrupted)
        assert embed(dataset, model, output) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "aia-study: interrupted: finished blocks are kept, the same command continues from there"
    )
    del embedded[:]
    assert embed(dataset, model, output, "--sd", "128") == 0
    assert embedded == [2, *[40] * 6]
    output.unlink()
    del embedded[:]
    assert embed(dataset, model, output) == 0
    assert embedded == [2, *[40] * 3]


def test_an_existing_output_is_refused_before_any_work(tmp_path: Path, capsys) -> None:
    output = tmp_path / "t.parquet"
    output.write_text("mine")
    assert embed("folder:nowhere", "none.onnx", output) == 2
    assert capsys.readouterr().err == f"aia-study: {output} exists already: choose another -o\n"
    assert output.read_text() == "mine"


@pytest.mark.parametrize(
    ("dataset", "model", "options", "message"),
    [
        ("folder:none", "net.onnx", (), "no folder 'none'"),
        ("faces", "net.onnx", (), "unknown kind 'faces' in dataset 'faces'"),
        ("synthetic", "none.onnx", (), "no file 'none.onnx': give --model MODEL.onnx"),
        ("synthetic", "net.onnx", ("--side", "112"), "--side is 112, but net.onnx takes 16 x 16 pixels"),
        ("synthetic", "net.onnx", ("--side", "x"), "--side"),
        ("synthetic", "net.onnx", ("--sd", "-1"), "--sd is -1: a positive number is needed"),
        ("synthetic", "dlib", ("--side", "112"), "--side is 112, but dlib takes 150 x 150 pixels"),
        ("synthetic", "net.onnx", ("-o", "t.csv"), "t.csv does not end in .parquet"),
        ("templates:t.npz", "net.onnx", (), "t.npz holds templates already: give a data set of images"),
        ("folder:named", "net.onnx", (), "has an attribute 'template', a column that embed writes: rename it"),
        ("folder:broken", "net.onnx", (), "folder:broken: none of 1 images can be read"),
        ("folder:plain", "zeros.onnx", (), "the template that zeros.onnx makes of "),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys,
    dataset: str,
    model: str,
    options: tuple,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_linear(Path("net.onnx"), ["n", 3, SIDE, SIDE])
    write_linear(Path("zeros.onnx"), ["n", 3, SIDE, SIDE], metadata={"mean": "127"})
    np.savez("t.npz", identity=np.array(["a", "b"]), template=np.ones((2, 3), np.float32))
    for folder, column in (("named", "template"), ("broken", "gender"), ("plain", "gender")):
        Path(folder).mkdir()
        Image.new("L", (SIDE, SIDE), 127).save(Path(folder, "a.png"))
        Path(folder, "labels.csv").write_text(f"image,identity,{column}\na.png,p,m\n")
    Path("broken", "a.png").write_text("no image")
    assert run(["embed", dataset, "--model", model, "-o", "out.parquet", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = [line for line in err.splitlines() if not line.startswith("left out")]
    assert len(lines) == 1, err
    assert message in lines[0]
    assert not [*tmp_path.glob("*.parquet"), *tmp_path.glob(".*")]


@pytest.mark.slow
def test_images_become_a_protected_gallery_by_way_of_dlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("dlib", "face_recognition_models"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    people, shots = 60, 3
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()
    lines = ["image,identity,gender"]
    for person in range(people):
        first = person * IMAGES_PER_IDENTITY
        for shot, pixels in enumerate(draw_images(range(first, first + shots))):
            Image.fromarray(pixels).save(f"faces/{person}-{shot}.png")
            lines.append(f"{person}-{shot}.png,p{person},{'male' if is_male(person) else 'female'}")
    Path("faces/labels.csv").write_text("\n".join(lines))
    assert embed("folder:faces", "dlib", Path("t.parquet")) == 0
    templates = pl.read_parquet("t.parquet")
    assert templates.schema["template"] == pl.Array(pl.Float32, 128)
    settings = ["training.joint_epochs=2", "fixed.batch_images=64", "baselines=['original']"]
    launch = ["launch", "code", "--dataset", "templates:t.parquet", "--name", "s", "--trials", "1"]
    assert run([*launch, *as_options(settings)]) == 0
    (checkpoint,) = Path("studies/s/checkpoints").glob("trial-*")
    assert run(["encode", str(checkpoint), "templates:t.parquet", "-o", "gallery.parquet"]) == 0
    gallery = pl.read_parquet("gallery.parquet")
    assert gallery["identity"].equals(templates["identity"])
    codes = gallery["g"].to_numpy()
    codes = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    assert codes.shape[0] == people * shots
    same = gallery["identity"].to_numpy()[:, None] == gallery["identity"].to_numpy()
    pairs = np.triu_indices(len(codes), 1)
    assert roc_auc_score(same[pairs], (codes @ codes.T)[pairs]) > 0.6
