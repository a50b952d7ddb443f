"""dlib's face network gives the templates that dlib gives for one chip at a time."""

import re

import numpy as np
import pytest

from aia_models.embedding import dlib_network
from aia_models.embedding.dlib_network import DlibNetwork
from aia_models.embedding.open_network import open_network
from aia_models.errors import EmbeddingError


@pytest.mark.parametrize("package", ["dlib", "face_recognition_models"])
def test_without_a_package_the_extra_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = dlib_network.find_spec
    monkeypatch.setattr(dlib_network, "find_spec", lambda name: None if name == package else found(name))
    with pytest.raises(EmbeddingError, match=re.escape("pip install 'aia-study[dlib]'")):
        open_network("dlib")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"side": 112}, "--side is 112, but dlib takes 150 x 150 pixels: leave --side out"),
        ({"mean": "0"}, "dlib normalises pixels itself: leave --mean and --sd out"),
        ({"sd": "1"}, "dlib normalises pixels itself: leave --mean and --sd out"),
    ],
)
def test_options_that_contradict_dlib_are_refused(options: dict, message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        open_network("dlib", **options)


@pytest.mark.slow
def test_batches_are_those_of_single_chips() -> None:
    dlib = pytest.importorskip("dlib")
    weights = dlib_network._weights_file()
    if weights is None:
        pytest.skip("face-recognition-models is not installed")
    crops = np.random.default_rng(2).integers(0, 256, (3, 3, 150, 150), dtype=np.uint8)
    templates = open_network("dlib", side=150).embed(crops)
    assert templates.shape == (3, DlibNetwork.values)
    model = dlib.face_recognition_model_v1(str(weights))
    for crop, template in zip(crops, templates, strict=True):
        single = model.compute_face_descriptor(np.ascontiguousarray(crop.transpose(1, 2, 0)))
        np.testing.assert_allclose(template, np.array(single), atol=1e-5)
