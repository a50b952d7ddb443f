"""Opens the face network that `--model` names."""

from pathlib import Path

from aia_models.embedding.dlib_network import DlibNetwork
from aia_models.embedding.face_network import FaceNetwork
from aia_models.embedding.onnx_network import OnnxNetwork
from aia_models.errors import EmbeddingError

DLIB = "dlib"


def open_network(
    model: str, *, side: int | None = None, mean: str | None = None, sd: str | None = None
) -> FaceNetwork:
    """Return the network of an ONNX file, or dlib's for the name `dlib`, which has a side and normalisation of its own.

    Raises EmbeddingError for a file that is no face network, for options that contradict the network, and where the
    package that runs it is not installed.
    """
    if model != DLIB:
        return OnnxNetwork(Path(model).expanduser(), side, mean, sd)
    if side not in (None, DlibNetwork.side):
        raise EmbeddingError(
            f"--side is {side}, but dlib takes {DlibNetwork.side} x {DlibNetwork.side} pixels: leave --side out"
        )
    if (mean, sd) != (None, None):
        raise EmbeddingError("dlib normalises pixels itself: leave --mean and --sd out")
    return DlibNetwork()
