"""Checkpoints: the written files, the loaded encoders, and the folders that are refused."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import aia_models
from aia_models.config import AdversaryConfig, ChannelConfig
from aia_models.errors import CheckpointError
from aia_models.networks.networks import Networks
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from tests.aia_models.random_faces import SMALL, random_faces

FACES = random_faces(people=8, images=4, signal=40)
IMAGES = FACES.test.inputs
CHANNELS = {
    "none": ChannelConfig(),
    "noise": ChannelConfig("noise", noise_sd=0.05, erasure=True),
    "quantise": ChannelConfig("quantise", bits=3, erasure=True),
    "codebook": ChannelConfig("codebook", noise_sd=0.1, codewords=8, codebooks=2, erasure=True),
    "random_replacement": ChannelConfig("random_replacement", replaced_share=0.5),
}


def fitted(channel: str = "noise", seed: int = 7) -> Anonymizer:
    adversary = AdversaryConfig(members=("linear", "cnn"), cnn_channels=(4, 4, 4))
    config = replace(SMALL, alpha=0.1, seed=seed, channel=CHANNELS[channel], adversary=adversary)
    return fit_anonymizer(Networks(config, (1, 16, 16)), config, FACES)


def release(anonymizer: Anonymizer, seed: int = 0) -> torch.Tensor:
    return anonymizer.release(IMAGES, torch.Generator().manual_seed(seed))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    checkpoint.save(fitted(), tmp_path / "kept", {"study": "first"})
    return tmp_path / "kept"


@pytest.mark.parametrize("channel", CHANNELS)
def test_round_trip(channel: str, tmp_path: Path) -> None:
    anonymizer = fitted(channel)
    checkpoint.save(anonymizer, tmp_path / "new" / "kept", {})
    loaded = aia_models.load(tmp_path / "new" / "kept")
    assert loaded.config == anonymizer.config
    assert loaded.input_shape == (1, 16, 16)
    assert not loaded.training
    assert torch.equal(release(loaded), release(anonymizer))
    assert torch.equal(loaded.reconstruct(release(loaded)), anonymizer.reconstruct(release(anonymizer)))


def test_a_path_may_be_text(saved: Path) -> None:
    assert torch.equal(release(aia_models.load(str(saved))), release(fitted()))


def test_loaded_encoder_draws_new_noise_at_each_call(saved: Path) -> None:
    drawn = [aia_models.load(saved).encode(IMAGES) for _ in range(2)]
    assert not torch.equal(drawn[0], drawn[1])
    assert torch.allclose(drawn[0], drawn[1], atol=1.0)


def test_description_says_what_it_is_and_holds_no_seed_but_the_trainings(saved: Path) -> None:
    description = json.loads((saved / "config.json").read_text())
    assert description["format_version"] == checkpoint.FORMAT_VERSION
    assert description["input_shape"] == [1, 16, 16]
    assert description["about"] == {"study": "first"}
    assert description["config"]["channel"] == vars(CHANNELS["noise"])

    def keys(content: Any) -> list[str]:
        inner = (
            [key for value in content.values() for key in keys(value)] if isinstance(content, dict) else []
        )
        return [*content, *inner] if isinstance(content, dict) else []

    assert [key for key in keys(description) if "seed" in key] == ["seed"]
    assert description["config"]["seed"] == 7


def test_files_hold_no_pickle(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "model.safetensors"]
    content = (saved / "model.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert set(header) >= {"encoder.stem.0.convolutions.0.weight", "channel.eraser_mean"}


def test_weights_of_a_channels_last_network(tmp_path: Path) -> None:
    anonymizer = fitted()
    checkpoint.save(anonymizer.to(memory_format=torch.channels_last), tmp_path / "kept", {})  # type: ignore[call-overload]
    torch.testing.assert_close(release(aia_models.load(tmp_path / "kept")), release(fitted()))


def test_saving_replaces_the_earlier_one(saved: Path) -> None:
    (saved / "left-over").write_text("")
    checkpoint.save(fitted(seed=8), saved, {})
    assert aia_models.load(saved).config.seed == 8
    assert [path.name for path in saved.parent.iterdir()] == ["kept"]
    assert sorted(path.name for path in saved.iterdir()) == ["config.json", "model.safetensors"]


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        checkpoint.save(fitted(), tmp_path / "kept", {})
    finally:
        os.umask(before)
    assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "kept").iterdir()} == {"0o644"}


@pytest.mark.parametrize("failing", ["serialised", "replace"])
def test_failed_saving_leaves_the_earlier_one_whole(
    saved: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint if failing == "serialised" else os, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(fitted(seed=8), saved, {})
    monkeypatch.undo()
    assert aia_models.load(saved).config.seed == 7
    assert [path.name for path in saved.parent.iterdir()] == ["kept"], "nothing half written is left"


def test_content_that_is_no_json_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        checkpoint.save(fitted(), tmp_path / "kept", {"auc": float("nan")})
    assert not list(tmp_path.iterdir())


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    description = json.loads((folder / "config.json").read_text())
    changed = change(description)
    (folder / "config.json").write_text(json.dumps(description if changed is None else changed))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no weights": (lambda at: (at / "model.safetensors").unlink(), "is no checkpoint: a folder with config"),
    "no description": (lambda at: (at / "config.json").unlink(), "is no checkpoint: a folder with config"),
    "cut weights": (lambda at: truncate(at / "model.safetensors"), "cannot be read: "),
    "empty weights": (lambda at: (at / "model.safetensors").write_bytes(b""), "cannot be read: "),
    "cut description": (lambda at: truncate(at / "config.json"), "cannot be read: "),
    "no object": (lambda at: edit(at, lambda description: [1]), "cannot be read: "),
    "no version": (
        lambda at: edit(at, lambda d: d.pop("format_version") and None),
        "has no 'format_version'",
    ),
    "newer": (
        lambda at: edit(at, lambda d: d.update(format_version=checkpoint.FORMAT_VERSION + 1)),
        f"its format is {checkpoint.FORMAT_VERSION + 1}, and this release reads format {checkpoint.FORMAT_VERSION}",
    ),
    "older": (
        lambda at: edit(at, lambda d: d.update(format_version=checkpoint.FORMAT_VERSION - 1)),
        f"its format is {checkpoint.FORMAT_VERSION - 1}, and this release reads format {checkpoint.FORMAT_VERSION}",
    ),
    "no alpha": (lambda at: edit(at, lambda d: d["config"].pop("alpha") and None), "has no 'alpha'"),
    "bad alpha": (
        lambda at: edit(at, lambda d: d["config"].update(alpha=-1.0)),
        "alpha = -1.0: expected a finite",
    ),
    "other sizes": (
        lambda at: edit(at, lambda d: d["config"]["encoder"]["stem"].update(channels=[4, 5])),
        r"model.safetensors does not fit config.json: channel.eraser_covector is \[1, 64\], not \[1, 80\]",
    ),
    "bad shape": (lambda at: edit(at, lambda d: d.update(input_shape="16")), "cannot be read: "),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_checkpoints_are_refused_in_one_line(saved: Path, damage: str) -> None:
    break_it, message = DAMAGES[damage]
    break_it(saved)
    with pytest.raises(CheckpointError, match=message) as caught:
        aia_models.load(saved)
    assert str(caught.value).startswith(f"{saved} ")
    assert "\n" not in str(caught.value)


def test_missing_folder_and_file_are_no_checkpoints(saved: Path) -> None:
    for path in (saved.parent / "none", saved / "config.json"):
        with pytest.raises(CheckpointError, match="is no checkpoint: a folder with config"):
            aia_models.load(path)


def test_release_of_another_seed_differs(saved: Path) -> None:
    loaded = aia_models.load(saved)
    assert not np.array_equal(release(loaded, 0), release(loaded, 1))
