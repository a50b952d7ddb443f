"""The picture of faces and reconstructions that a checkpoint keeps."""

import io

import numpy as np
from PIL import Image

from aia_models.config import ChannelConfig, TrainingConfig
from aia_models.data.faces import FaceDataset
from aia_models.release.anonymizer import Anonymizer
from study.trial.reconstructions import PEOPLE, examples_png

SIDE = 16


def faces(people: int) -> FaceDataset:
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(people, dtype=np.int32), 2)
    images = rng.integers(0, 255, (len(identity), 1, SIDE, SIDE), dtype=np.uint8)
    names = tuple(str(person) for person in range(people))
    return FaceDataset(images, identity, names, {}, fingerprint="")


def drawn(anonymizer: Anonymizer, shown: FaceDataset) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(examples_png(anonymizer, shown))))


def test_the_first_image_of_the_first_people_stands_above_its_reconstruction() -> None:
    anonymizer = Anonymizer(TrainingConfig(channel=ChannelConfig(kind="none")), (1, SIDE, SIDE)).eval()
    shown = faces(people=20)
    picture = drawn(anonymizer, shown)
    assert picture.shape == (2 * SIDE, PEOPLE * SIDE)
    first = np.asarray(shown.inputs[: 2 * PEOPLE : 2])
    rebuilt = anonymizer.reconstruct(anonymizer.encode(first)).numpy()
    np.testing.assert_array_equal(picture[:SIDE], np.hstack(list(first[:, 0])))
    np.testing.assert_array_equal(picture[SIDE:], np.round(np.hstack(list(rebuilt[:, 0])) * 255))


def test_reconstructions_are_of_what_is_released_and_few_people_are_enough() -> None:
    noisy = Anonymizer(
        TrainingConfig(channel=ChannelConfig(kind="noise", noise_sd=0.5)), (1, SIDE, SIDE)
    ).eval()
    shown = faces(people=3)
    once, again = drawn(noisy, shown), drawn(noisy, shown)
    assert once.shape == (2 * SIDE, 3 * SIDE)
    np.testing.assert_array_equal(once[:SIDE], again[:SIDE])
    assert (once[SIDE:] != again[SIDE:]).any()
