"""`aia-study export`: other runtimes release the same as ours for the same random numbers."""

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


EXPORTS = """
import sys
from study.cli import run
for line in sys.stdin.read().splitlines():
    folder, form, output = line.split()
    print("exporting", folder, form)
    assert run(["export", folder, "--format", form, "-o", output]) == 0
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[str, str], str]]:
    """Return a folder with a checkpoint of each channel and its exports, and the messages of each export.

    Another process exports them, because the hook that checks types in this process cannot be exported.
    """
    root = tmp_path_factory.mktemp("exports")
    for kind, channel in CHANNELS.items():
        config = replace(SMALL, channel=channel)
        anonymizer = fit_anonymizer(Networks(config, FACES.input_shape), config, FACES)
        checkpoint.save(anonymizer, root / kind / "model", {})
    lines = [
        f"{kind}/model {form} {kind}/{form}/model.{form}" for kind in CHANNELS for form in ("onnx", "torch")
    ]
    ran = subprocess.run(
        [sys.executable, "-c", EXPORTS], input="\n".join(lines), capture_output=True, text=True, cwd=root
    )
    assert ran.returncode == 0, ran.stderr
    said = {}
    for part in ran.stdout.split("exporting ")[1:]:
        folder, form, *words = part.split()
        said[folder.removesuffix("/model"), form] = " ".join(words)
    return root, said


@pytest.mark.parametrize("form", ["onnx", "torch"])
@pytest.mark.parametrize("kind", CHANNELS)
def test_the_command_says_what_goes_in_and_whether_to_throw_draws_away(exports, kind, form):
    root, said = exports
    assert "images uint8 [n, 1, 16, 16]" in said[kind, form]
    assert ("and throw" in said[kind, form]) == (kind in ("noise", "random_replacement"))
    assert [path.name for path in (root / kind / form).iterdir()] == [f"model.{form}"]


def case(folder: Path, count: int) -> tuple[np.ndarray, torch.Tensor | None, np.ndarray]:
    """Return images, the random numbers drawn for them, and our releases of them."""
    anonymizer = aia_models.load(folder)
    images = np.asarray(FACES.test.inputs)[:count]
    clean = anonymizer.clean(images)
    drawn = anonymizer.channel.draw(clean, torch.Generator().manual_seed(1))
    return images, drawn, anonymizer.channel.release(clean, drawn).numpy()


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("kind", CHANNELS)
def test_onnxruntime_releases_what_ours_does(exports, kind, count):
    folder = exports[0] / kind
    session = onnxruntime.InferenceSession(folder / "onnx" / "model.onnx")
    images, drawn, expected = case(folder / "model", count)
    given = {"images": images} | ({} if drawn is None else {"drawn": drawn.numpy()})
    assert [one.name for one in session.get_inputs()] == list(given)
    (found,) = session.run(["g"], given)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("kind", CHANNELS)
def test_torch_reads_its_own_format(exports, kind):
    folder = exports[0] / kind
    program = torch.export.load(folder / "torch" / "model.torch").module()
    images, drawn, expected = case(folder / "model", 3)
    found = program(torch.from_numpy(images), drawn)
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-6)


def test_without_the_packages_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pip install 'aia-study\[onnx\]'"):
        export_onnx(Anonymizer(SMALL, (1, 16, 16)), tmp_path / "model.onnx")


def test_what_lies_there_stays(tmp_path, capsys):
    (tmp_path / "model.onnx").write_text("mine")
    assert run(["export", str(tmp_path), "-o", str(tmp_path / "model.onnx")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert run(["export", str(tmp_path), "-o", str(tmp_path / "other.onnx")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
