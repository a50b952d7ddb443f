"""`aia-study export`: other runtimes release what ours does, for the same draws."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

import aia_models
from aia_models.config import ChannelConfig
from aia_models.errors import ExportError
from aia_models.networks.networks import Networks
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from aia_models.release.export import export_onnx
from study.cli import run
from tests.aia_models.random_faces import SMALL, random_faces

FACES = random_faces(people=8, images=4, signal=40)
CHANNELS = {
    "none": ChannelConfig(erasure=True),
    "noise": ChannelConfig("noise", noise_sd=0.05, erasure=True),
    "quantise": ChannelConfig("quantise", bits=3),
    "random_replacement": ChannelConfig("random_replacement", replaced_share=0.5),
}
AIA_STUDY = Path(sys.executable).with_name("aia-study")


@pytest.fixture(params=CHANNELS)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    config = replace(SMALL, channel=CHANNELS[request.param])
    checkpoint.save(fit_anonymizer(Networks(config, FACES.image_side), config, FACES), tmp_path / "model", {})
    return tmp_path / "model"


def exported(folder: Path, form: str) -> Path:
    """By the command, in a process of its own: what checks types here is nothing that can be exported."""
    output = folder.parent / "new" / f"model.{form}"
    command = [str(AIA_STUDY), "export", str(folder), "--format", form, "-o", str(output)]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    random = aia_models.load(folder).config.channel.kind in ("noise", "random_replacement")
    assert ("throw it away" in ran.stdout.replace("\n", " ")) == random
    assert "images uint8 [n, 1, 16, 16]" in ran.stdout
    assert list(output.parent.iterdir()) == [output]
    return output


def case(folder: Path, count: int) -> tuple[np.ndarray, torch.Tensor | None, np.ndarray]:
    """Images, what is drawn for them, and what ours releases."""
    anonymizer = aia_models.load(folder)
    images = np.asarray(FACES.test.images)[:count]
    clean = anonymizer.clean(images)
    drawn = anonymizer.channel.draw(clean, torch.Generator().manual_seed(1))
    return images, drawn, anonymizer.channel.release(clean, drawn).numpy()


@pytest.mark.parametrize("count", [1, 5])
def test_onnxruntime_releases_what_ours_does(folder, count):
    session = onnxruntime.InferenceSession(exported(folder, "onnx"))
    images, drawn, expected = case(folder, count)
    given = {"images": images} | ({} if drawn is None else {"drawn": drawn.numpy()})
    assert [one.name for one in session.get_inputs()] == list(given)
    (found,) = session.run(["g"], given)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_torch_reads_its_own_format(folder):
    program = torch.export.load(exported(folder, "torch")).module()
    images, drawn, expected = case(folder, 3)
    found = program(torch.from_numpy(images), drawn)
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-6)


def test_without_the_packages_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pip install 'aia-study\[onnx\]'"):
        export_onnx(Anonymizer(SMALL, 16), tmp_path / "model.onnx")


def test_what_lies_there_stays(tmp_path, capsys):
    (tmp_path / "model.onnx").write_text("mine")
    assert run(["export", str(tmp_path), "-o", str(tmp_path / "model.onnx")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert run(["export", str(tmp_path), "-o", str(tmp_path / "other.onnx")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
