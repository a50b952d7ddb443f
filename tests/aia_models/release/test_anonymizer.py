"""The encoder that is judged and shipped."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aia_models.config import ChannelConfig, ConvolutionalStem, EncoderConfig, TrainingConfig
from aia_models.errors import DataError
from aia_models.judging.released import release_faces
from aia_models.networks.networks import Networks
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from tests.aia_models.random_faces import SMALL, random_faces

FACES = random_faces(people=8, images=4, signal=40)
NOISE = replace(SMALL, channel=ChannelConfig("noise", noise_sd=0.05))


def fitted(config: TrainingConfig) -> Anonymizer:
    return fit_anonymizer(Networks(config, (1, 16, 16)), config, FACES)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_clean_representations_are_the_trained_encoders() -> None:
    networks = Networks(SMALL, (1, 16, 16))
    anonymizer = fit_anonymizer(networks, SMALL, FACES)
    images = FACES.validation.inputs
    with torch.no_grad():
        expected = networks.encoder(torch.from_numpy(images).float() / 255)
    torch.testing.assert_close(anonymizer.clean(images), expected)
    assert torch.equal(anonymizer.release(images, generator()), anonymizer.clean(images))


def test_reconstructions_are_the_trained_decoders() -> None:
    networks = Networks(SMALL, (1, 16, 16))
    released = torch.rand((3, 64))
    with torch.no_grad():
        expected = torch.sigmoid(networks.decoder(released))
    found = fit_anonymizer(networks, SMALL, FACES).reconstruct(released)
    torch.testing.assert_close(found, expected)


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    anonymizer = fitted(SMALL)
    whole = anonymizer.clean(FACES.test.inputs)
    monkeypatch.setattr("aia_models.release.anonymizer.ENCODED_IMAGES", 5)
    torch.testing.assert_close(anonymizer.clean(FACES.test.inputs), whole)


def test_eraser_is_fitted_on_the_train_identities() -> None:
    anonymizer = fitted(replace(SMALL, channel=ChannelConfig(erasure=True)))
    gap = {}
    for split in ("train", "test"):
        faces = getattr(FACES, split)
        released, gender = anonymizer.release(faces.inputs, generator()).double(), faces.attributes["gender"]
        gap[split] = (released[gender == 1].mean(0) - released[gender == 0].mean(0)).abs().max().item()
    assert gap["train"] < 1e-6 < gap["test"]


def test_encode_draws_new_noise_at_each_call() -> None:
    anonymizer = fitted(NOISE)
    torch.manual_seed(0)
    first = anonymizer.encode(FACES.test.inputs)
    torch.manual_seed(0)
    second = anonymizer.encode(FACES.test.inputs)
    noise = torch.stack([first, second]) - anonymizer.clean(FACES.test.inputs)
    # The tolerance is five standard errors of a sample's standard deviation.
    assert noise.std().item() == pytest.approx(0.05, rel=5 / np.sqrt(2 * noise.numel()))
    assert abs(torch.corrcoef(noise.flatten(1))[0, 1].item()) < 5 / np.sqrt(first.numel())
    assert not first.requires_grad


def test_encode_without_noise_is_release() -> None:
    anonymizer = fitted(replace(SMALL, channel=ChannelConfig("quantise", bits=2, erasure=True)))
    images = FACES.test.inputs
    assert torch.equal(anonymizer.encode(images), anonymizer.release(images, generator()))


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (np.zeros((2, 1, 32, 32), np.uint8), r"uint8 \[2, 1, 32, 32\]"),
        (np.zeros((2, 1, 16, 16), np.float32), r"float32 \[2, 1, 16, 16\]"),
        (np.zeros((2, 3, 16, 16), np.uint8), r"uint8 \[2, 3, 16, 16\]"),
        (np.zeros((16, 16), np.uint8), r"uint8 \[16, 16\]"),
        (np.zeros((0, 1, 16, 16), np.uint8), r"uint8 \[0, 1, 16, 16\]"),
    ],
)
def test_encode_refuses_other_images(images: np.ndarray, found: str) -> None:
    right = r"this encoder takes images, uint8 \[N, 1, 16, 16\]"
    with pytest.raises(DataError, match=f"^inputs are {found}: {right}$"):
        fitted(SMALL).encode(images)


def test_judges_see_every_split_and_attackers_learn_from_two_releases() -> None:
    anonymizer = fitted(NOISE)
    released = release_faces(anonymizer, FACES, 3)
    assert set(released) == {"train", "attack", "validation", "test"}
    for split, faces in released.items():
        original = getattr(FACES, split)
        learnt_from = split in ("train", "attack")
        assert np.array_equal(faces.identity, original.identity)
        assert np.array_equal(faces.attributes["gender"], original.attributes["gender"])
        assert len(faces.releases) == (2 if learnt_from else 1)
        assert (faces.inputs is not None) == learnt_from, "an attacker has no images of the judged people"
        clean = anonymizer.clean(original.inputs).numpy()
        noise = faces.releases - clean
        assert noise.std() == pytest.approx(0.05, rel=0.1)
        assert faces.mean_of_10 is not None
        assert (faces.mean_of_10 - clean).std() == pytest.approx(0.05 / np.sqrt(10), rel=0.1)
        if learnt_from:
            # The tolerance is five standard errors of the correlation of independent numbers.
            assert abs(np.corrcoef(noise.reshape(2, -1))[0, 1]) < 5 / np.sqrt(noise[0].size)
            np.testing.assert_allclose(faces.inputs * 255, original.inputs.reshape(len(clean), -1), atol=1e-4)


def test_without_chance_there_is_one_release_and_no_mean() -> None:
    for faces in release_faces(fitted(SMALL), FACES, 3).values():
        assert len(faces.releases) == 1
        assert faces.mean_of_10 is None
        assert faces.words is None


def test_people_of_another_data_set_are_released_beside() -> None:
    other = random_faces(people=5, images=2, seed=7).train
    released = release_faces(fitted(NOISE), FACES, 3, other)
    assert released["other"].releases.shape[:2] == (2, 10)
    alone = release_faces(fitted(NOISE), FACES, 3)
    for split, faces in alone.items():
        assert np.array_equal(faces.releases, released[split].releases), "streams do not move"


def test_judged_noise_comes_from_the_seed_and_split() -> None:
    anonymizer = fitted(NOISE)
    first, again, other = (release_faces(anonymizer, FACES, seed) for seed in (3, 3, 4))
    noise = {
        split: faces.representations - anonymizer.clean(getattr(FACES, split).inputs).numpy()
        for split, faces in first.items()
    }
    for split in first:
        assert np.array_equal(first[split].releases, again[split].releases)
        assert not np.array_equal(first[split].releases, other[split].releases)
    assert not np.allclose(noise["validation"], noise["test"], atol=1e-3)


def test_of_many_images_those_of_some_people_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aia_models.data.some_people.MAX_LEARNT_IMAGES", 12)
    released = release_faces(fitted(NOISE), FACES, 3)
    for split, faces in released.items():
        whole = len(getattr(FACES, split))
        assert len(faces.identity) == (12 if split in ("attack", "train") else whole)
        assert faces.releases.shape[1] == len(faces.attributes["gender"]) == len(faces.identity)
    assert set(np.unique(released["attack"].identity, return_counts=True)[1]) == {4}, "whole people"


def test_of_many_images_those_of_the_same_people_are_judged_whatever_the_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aia_models.data.some_people.MAX_JUDGED_IMAGES", 12)
    fitted_once = fitted(SMALL)
    one, other = (release_faces(fitted_once, FACES, seed) for seed in (3, 4))
    for split in ("validation", "test"):
        assert len(one[split].identity) == 12
        assert np.array_equal(one[split].releases, other[split].releases)
    assert len(one["train"].identity) == len(FACES.train)


@pytest.mark.parametrize("limit", [2**16 - 1, 2**16])
def test_words_are_given_up_to_a_size_of_the_alphabet(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen coordinates of one bit have 2^16 words; equal words have equal codes, and others others."""
    monkeypatch.setattr("aia_models.judging.released.MAX_WORDS", limit)
    encoder = EncoderConfig(ConvolutionalStem(channels=(4, 1)))
    config = replace(SMALL, encoder=encoder, channel=ChannelConfig("quantise", bits=1))
    for faces in release_faces(fitted(config), FACES, 3).values():
        if limit < 2**16:
            assert faces.words is None
            continue
        assert faces.words is not None
        assert faces.words.alphabet == 2**16
        same_word = (faces.representations[:, None] == faces.representations).all(2)
        assert np.array_equal(same_word, faces.words.codes[:, None] == faces.words.codes)


def test_decode_is_the_decoders_image_for_arrays() -> None:
    anonymizer = fitted(NOISE)
    released = anonymizer.clean(FACES.test.inputs)
    expected = anonymizer.reconstruct(released).numpy()
    np.testing.assert_allclose(anonymizer.decode(released.numpy()), expected, atol=1e-6)
