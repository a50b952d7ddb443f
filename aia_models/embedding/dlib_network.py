"""dlib's face network, with the weights that the package face-recognition-models holds."""

import hashlib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from aia_models.data.sources.source import key_over
from aia_models.errors import EmbeddingError

WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"


class DlibNetwork:
    """dlib's residual network (`face_recognition_model_v1`): aligned RGB face chips of 150 x 150 pixels to 128 values.

    Raises EmbeddingError where dlib or its weights are not installed.
    """

    title = "dlib"
    channels, side, values = 3, 150, 128

    def __init__(self) -> None:
        weights = _weights_file()
        if find_spec("dlib") is None or weights is None:
            raise EmbeddingError(
                "--model dlib needs dlib-bin and face-recognition-models: pip install 'aia-study[dlib]'"
            )
        with weights.open("rb") as file:
            self.key = key_over(["dlib", hashlib.file_digest(file, "sha256").hexdigest()])
        self._model = import_module("dlib").face_recognition_model_v1(str(weights))

    def embed(self, crops: UInt8[np.ndarray, "n 3 150 150"]) -> Float32[np.ndarray, "n 128"]:
        """Return the templates of some crops."""
        chips = [np.ascontiguousarray(crop.transpose(1, 2, 0)) for crop in crops]
        return np.array(self._model.compute_face_descriptor(chips), np.float32)


def _weights_file() -> Path | None:
    # Importing the package needs pkg_resources, which setuptools no longer has.
    found = find_spec("face_recognition_models")
    folders = (found and found.submodule_search_locations) or []
    files = [Path(folder, "models", WEIGHTS) for folder in folders]
    return next((file for file in files if file.is_file()), None)
