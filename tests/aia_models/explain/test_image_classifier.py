"""The gender classifier learns a visible difference, and a saved classifier loads unchanged."""

from pathlib import Path

import numpy as np
import pytest
import torch

from aia_models.explain import image_classifier
from aia_models.explain.image_classifier import (
    as_floats,
    fit_image_classifier,
    load_image_classifier,
    save_image_classifier,
)
from aia_models.measures.metrics import auc
from tests.aia_models.random_faces import dataset, with_unknown

TRAIN = dataset(people=24, images=4, side=16, seed=0, signal=60)
OTHERS = dataset(people=24, images=4, side=16, seed=1, signal=60)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_classifier, "BATCH_IMAGES", 16)


def test_it_reads_the_attribute_off_other_people_and_survives_disk(tmp_path: Path) -> None:
    classifier = fit_image_classifier(TRAIN, "gender", 0, "cpu")
    images = as_floats(OTHERS.inputs, "cpu")
    probabilities = classifier.probabilities(images)
    assert auc(probabilities, OTHERS.attributes["gender"] == 1) > 0.9
    save_image_classifier(classifier, tmp_path / "classifier.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["classifier.safetensors"]
    (tmp_path / "plain").touch()
    assert len({path.stat().st_mode for path in tmp_path.iterdir()}) == 1, "others may read it by the umask"
    again = load_image_classifier(tmp_path / "classifier.safetensors", 16, "cpu")
    np.testing.assert_allclose(again.probabilities(images), probabilities, atol=1e-6)


def test_the_seed_decides_and_faces_without_a_label_have_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_classifier, "EPOCHS", 1)
    unknown = np.arange(len(TRAIN)) < 8
    partly = with_unknown(TRAIN, unknown)
    known = TRAIN.subset(~unknown)
    fits = [
        fit_image_classifier(faces, "gender", seed, "cpu").network.classes.weight
        for faces, seed in ((partly, 0), (known, 0), (known, 1))
    ]
    assert torch.equal(fits[0], fits[1])
    assert not torch.equal(fits[1], fits[2])
