"""Training, judging, keeping and exporting on templates instead of images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from aia_models.config import (
    AdversaryConfig,
    ChannelConfig,
    CodeHead,
    ComputeConfig,
    ConvolutionalStem,
    EncoderConfig,
    LinearStem,
    PlainHead,
    UtilityConfig,
)
from aia_models.data.faces import FaceDataset
from aia_models.data.inputs import network_inputs
from aia_models.data.splits import SplitFaces
from aia_models.errors import ConfigError, DataError
from aia_models.judging.judge import judge
from aia_models.judging.released import release_faces
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from aia_models.release.export import export_onnx
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import SMALL

VALUES = 12
CODE = replace(
    SMALL,
    alpha=1.0,
    encoder=EncoderConfig(LinearStem(components=8), CodeHead(k=6, hidden=16)),
    utility=UtilityConfig("batch_contrastive", 0.2),
    channel=ChannelConfig("noise", noise_sd=0.3, erasure=True),
    augmentation="flip",
    batch_images=16,
)


def part(number: int, people: int = 12, images: int = 4) -> FaceDataset:
    """Return templates of people who differ, of whom every second has a larger first value."""
    rng = np.random.default_rng(number)
    identity = np.repeat(np.arange(people, dtype=np.int32), images)
    gender = (identity % 2).astype(np.int8)
    templates = rng.normal(size=(people, VALUES))[identity] + rng.normal(0, 0.2, (len(identity), VALUES))
    templates[:, 0] += gender
    names = tuple(f"{number}-{person}" for person in range(people))
    return FaceDataset(templates.astype(np.float32), identity, names, {"gender": gender}, f"part-{number}")


FACES = SplitFaces(*map(part, range(4)), attributes=("gender",), fingerprint="templates")


def trained(**changes: object) -> Anonymizer:
    config = replace(CODE, **changes)  # type: ignore[arg-type]
    trainer = Trainer(config, ComputeConfig(), FACES)
    records = list(trainer.run())
    assert all(np.isfinite(record.reconstruction_loss or 0.0) for record in records)
    return fit_anonymizer(trainer.networks, config, FACES)


def test_networks_read_the_direction_of_a_template_only() -> None:
    raw = torch.from_numpy(FACES.train.inputs)
    read = network_inputs(raw)
    torch.testing.assert_close(read.square().mean(1), torch.ones(len(raw)))
    torch.testing.assert_close(read, network_inputs(3 * raw))
    anonymizer = trained(channel=ChannelConfig())
    torch.testing.assert_close(anonymizer.encode(FACES.test.inputs), anonymizer.encode(5 * FACES.test.inputs))


def test_reconstructions_come_nearer_to_the_templates() -> None:
    budget = replace(CODE.budget, autoencoder_epochs=60)
    records = list(Trainer(replace(CODE, budget=budget), ComputeConfig(), FACES).run_stage1())
    losses = [record.reconstruction_loss for record in records if record.stage == "autoencoder"]
    assert losses[-1] < 0.7 * losses[0]
    anonymizer = trained(channel=ChannelConfig(), budget=budget)
    rebuilt = anonymizer.decode(anonymizer.encode(FACES.train.inputs).numpy())
    assert rebuilt.shape == FACES.train.inputs.shape


def test_templates_are_judged() -> None:
    anonymizer = trained()
    judgement = judge(release_faces(anonymizer, FACES, 0), anonymizer.encoder.map_shape, 0)
    assert 0.5 <= judgement.strongest_attack("test").folded_auc <= 1
    assert judgement.best_match("test").auc > 0.7
    assert judgement.strongest_beside("test", "decoded") is not None


@pytest.mark.parametrize(
    "channel",
    [
        ChannelConfig("noise", noise_sd=0.3, erasure=True),
        ChannelConfig("codebook", noise_sd=0.3, codewords=8, codebooks=2, erasure=True),
    ],
)
def test_checkpoints_and_exports_release_the_same(tmp_path: Path, channel: ChannelConfig) -> None:
    anonymizer = trained(channel=channel)
    checkpoint.save(anonymizer, tmp_path / "kept", {})
    loaded = checkpoint.load(tmp_path / "kept")
    assert loaded.input_shape == (VALUES,)
    templates = FACES.test.inputs[:9]
    clean = loaded.clean(templates)
    drawn = loaded.channel.draw(clean, torch.Generator().manual_seed(0))
    expected = anonymizer.channel.release(anonymizer.clean(templates), drawn)
    torch.testing.assert_close(loaded.channel.release(clean, drawn), expected)
    export_onnx(loaded, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    inputs = {"templates": templates} | ({} if drawn is None else {"drawn": drawn.numpy()})
    (released,) = session.run(["g"], inputs)
    np.testing.assert_allclose(released, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        (np.zeros((2, VALUES), np.float32), "template 0 holds zeros only"),
        (np.full((2, VALUES), np.nan, np.float32), "template 0 holds NaN"),
        (np.ones((2, VALUES + 1), np.float32), r"this encoder takes templates, float32 \[N, 12\]"),
        (np.ones((2, VALUES)), r"inputs are float64 \[2, 12\]"),
    ],
)
def test_encode_refuses_other_templates(templates: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        trained().encode(templates)


@pytest.mark.parametrize(
    ("encoder", "adversary", "message"),
    [
        (EncoderConfig(ConvolutionalStem(), CodeHead()), "mlp", "convolutional needs images"),
        (EncoderConfig(LinearStem(), PlainHead()), "cnn", "cnn needs a map"),
    ],
)
def test_networks_for_images_are_refused(encoder: EncoderConfig, adversary: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Trainer(
            replace(CODE, encoder=encoder, adversary=AdversaryConfig((adversary,))),  # type: ignore[arg-type]
            ComputeConfig(),
            FACES,
        )
