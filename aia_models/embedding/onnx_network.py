"""Face networks in ONNX form, which onnxruntime runs."""

import hashlib
import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from aia_models.data.sources.source import key_over
from aia_models.embedding.normalisation import read_normalisation
from aia_models.embedding.onnx_input import OnnxInput, read_input
from aia_models.errors import EmbeddingError

PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
FLOATS = ("tensor(float)", "tensor(float16)", "tensor(double)")
SILENT = 4  # onnxruntime's log level above errors: what fails is raised, and printed as one line


class OnnxNetwork:
    """A face network from an ONNX file with one input, crops `[n, c, side, side]` or `[n, side, side, c]`.

    Its one output is the templates, `[n, d]`. `side` is needed where the model fixes none. `mean` and `sd` normalise
    pixels of 0 to 255 (see `normalisation`); a model that takes uint8 gets the pixels as they are. Raises
    EmbeddingError, in one line, for a file that is no such model.
    """

    def __init__(self, path: Path, side: int | None, mean: str | None, sd: str | None) -> None:
        self.title = str(path)
        self._session = _session(path)
        self._input = self._read_input(side)
        self._mean, self._sd = self._read_normalisation(mean, sd)
        self.channels, self.side = self._input.channels, self._input.side
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        normalisation = [self._mean.tolist(), self._sd.tolist()]
        self.key = key_over(["onnx", digest, self.side, json.dumps(normalisation)])
        self._check_output()
        # Two, so that a batch axis that only seems dynamic is refused before any image is decoded.
        grey = np.full((2, self.channels, self.side, self.side), 127, np.uint8)
        self.values = self.embed(grey).shape[1]

    def embed(self, crops: UInt8[np.ndarray, "n channel side side"]) -> Float32[np.ndarray, "n d"]:
        """Return the templates of some crops; raises EmbeddingError where the model fails or returns no `[n, d]`."""
        if self._input.dtype is np.uint8:
            pixels = self._input.arranged(crops)
        else:
            pixels = self._input.arranged((crops - self._mean) / self._sd)
        step = 1 if self._input.one_at_a_time else len(pixels)
        return np.concatenate([self._run(pixels[row : row + step]) for row in range(0, len(pixels), step)])

    def _run(self, pixels: np.ndarray) -> Float32[np.ndarray, "n d"]:
        (name,) = (each.name for each in self._session.get_inputs())
        try:
            (templates,) = self._session.run(None, {name: pixels})
        except Exception as error:
            # onnxruntime's errors have no base class of their own.
            raise EmbeddingError(
                f"{self.title} fails on a batch of shape {list(pixels.shape)} ({_line(error)}): export it anew with "
                "a dynamic batch axis, or give it the --side that it was made for"
            ) from error
        if templates.ndim != 2 or len(templates) != len(pixels):
            raise EmbeddingError(
                f"{self.title} returns {list(templates.shape)} for {len(pixels)} crops: [{len(pixels)}, d] is needed"
            )
        return templates.astype(np.float32)

    def _read_input(self, side: int | None) -> OnnxInput:
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(each.name for each in inputs)
            raise EmbeddingError(f"{self.title} has {len(inputs)} inputs ({names}): one is needed, the crops")
        return read_input(self.title, inputs[0].type, inputs[0].shape, side)

    def _read_normalisation(self, mean: str | None, sd: str | None) -> tuple[np.ndarray, np.ndarray]:
        if self._input.dtype is np.uint8 and (mean, sd) != (None, None):
            raise EmbeddingError(f"{self.title} takes uint8 pixels as they are: leave --mean and --sd out")
        metadata = self._session.get_modelmeta().custom_metadata_map
        return read_normalisation(self.title, metadata, {"mean": mean, "sd": sd}, self._input.channels)

    def _check_output(self) -> None:
        outputs = self._session.get_outputs()
        if len(outputs) != 1:
            names = ", ".join(each.name for each in outputs)
            raise EmbeddingError(
                f"{self.title} has {len(outputs)} outputs ({names}): one is needed, templates [n, d]"
            )
        if outputs[0].type not in FLOATS:
            raise EmbeddingError(f"{self.title} returns {outputs[0].type}: a tensor of floats is needed")


def _session(path: Path) -> Any:
    if find_spec("onnxruntime") is None:
        raise EmbeddingError("reading ONNX needs onnxruntime: pip install 'aia-study[embed]'")
    onnxruntime = import_module("onnxruntime")
    if not path.is_file():
        raise EmbeddingError(f"no file '{path}': give --model MODEL.onnx of a face network, or --model dlib")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = SILENT
    there = onnxruntime.get_available_providers()
    providers = [name for name in PROVIDERS if name in there]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:
        # onnxruntime's errors have no base class of their own.
        raise EmbeddingError(
            f"{path} cannot be read as an ONNX model ({_line(error)}): export the face network anew"
        ) from error


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
