"""The in-loop adversary's and matcher's figures on the validation identities."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from aia_models.config import ChannelConfig
from aia_models.data.faces import FaceDataset
from aia_models.measures.pairs import evaluation_pairs
from aia_models.networks.networks import Networks
from aia_models.random_streams import stream
from aia_models.release.channel import training_channel
from aia_models.training import validation
from aia_models.training.device_faces import DeviceFaces
from aia_models.training.validation import in_loop_figures
from tests.aia_models.random_faces import SMALL, dataset, with_unknown

FACES = dataset(people=10, images=4, side=16, seed=0, signal=20)
NETWORKS = Networks(SMALL, (1, 16, 16))
NOISE = ChannelConfig("noise", noise_sd=0.05)


def by_hand(faces: FaceDataset, channel: ChannelConfig) -> tuple[float, float]:
    with torch.no_grad():
        g = NETWORKS.encoder(torch.from_numpy(faces.inputs).float() / 255)
        released = training_channel(g, channel, stream(SMALL.seed, "channel", "validation"))
        scores = NETWORKS.adversaries[0](released).mean(1).numpy()
        embedded = NETWORKS.matcher(released).numpy()
    gender = faces.attributes["gender"]
    adversary = roc_auc_score(gender[gender >= 0], scores[gender >= 0])
    pairs = evaluation_pairs(faces.identity, gender, "validation")
    distance = np.linalg.norm(embedded[pairs.left] - embedded[pairs.right], axis=1)
    return max(adversary, 1 - adversary), float(roc_auc_score(pairs.different, distance))


def figures(faces: FaceDataset, channel: ChannelConfig, *, with_channel: bool) -> tuple[float, float]:
    loaded = DeviceFaces.load(faces, ("gender",), "cpu")
    pairs = evaluation_pairs(faces.identity, faces.attributes["gender"], "validation")
    return in_loop_figures(NETWORKS, replace(SMALL, channel=channel), loaded, pairs, with_channel)


@pytest.mark.parametrize("unknown", [[], [0, 1, 2, 3, 8, 21]])
def test_figures_are_scikit_learns(unknown: list[int]) -> None:
    faces = with_unknown(FACES, np.isin(np.arange(40), unknown))
    assert figures(faces, NOISE, with_channel=True) == pytest.approx(by_hand(faces, NOISE), abs=1e-6)
    clean = by_hand(faces, ChannelConfig())
    assert figures(faces, NOISE, with_channel=False) == pytest.approx(clean, abs=1e-6)
    assert by_hand(faces, NOISE) != pytest.approx(clean, abs=1e-3)


def test_adversary_that_is_always_wrong_is_folded() -> None:
    gender = FACES.attributes["gender"]
    turned = replace(FACES, attributes={"gender": (1 - gender).astype(np.int8)})
    first = figures(FACES, NOISE, with_channel=True)
    assert first[0] > 0.5
    assert figures(turned, NOISE, with_channel=True) == pytest.approx(first)


def test_chunks_are_about_equally_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standardised chunk must not consist of a single last image."""
    sizes: list[int] = []
    hook = NETWORKS.adversaries[0].register_forward_hook(lambda _, given, out: sizes.append(len(given[0])))
    monkeypatch.setattr(validation, "TOGETHER_IMAGES", 13)
    monkeypatch.setattr(validation, "ENCODED_IMAGES", 3)
    figures(FACES, NOISE, with_channel=True)
    hook.remove()
    assert sizes == [10, 10, 10, 10]
