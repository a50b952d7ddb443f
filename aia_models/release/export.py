"""Export of the encoder as a model that runs without this project's code.

The input is `images`, uint8 `[n, 1, side, side]`, or `templates`, float32 `[n, d]`, for any n; the output `g` `[n, k]`
holds the released representations.
A random channel takes its random numbers as a second input, `drawn`: float32 `[n, k]` standard normal for noise,
`[2, n, k]` uniform in [0, 1] for random replacement. **Anyone who knows these numbers can undo the channel**: draw new
ones for each image from the operating system's entropy, and never store them.
"""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from aia_models.data.inputs import network_inputs
from aia_models.errors import ExportError
from aia_models.release.anonymizer import Anonymizer


class Release(nn.Module):
    """Maps images or templates, and the random numbers of a random channel, to released representations."""

    def __init__(self, anonymizer: Anonymizer) -> None:
        super().__init__()
        self.encoder = anonymizer.encoder
        self.channel = anonymizer.channel

    def forward(self, inputs: Tensor, drawn: Tensor | None = None) -> Tensor:
        return self.channel.release(self.encoder(network_inputs(inputs)), drawn)


def input_name(anonymizer: Anonymizer) -> str:
    """Return the name of the model's input: `images` or `templates`."""
    return "images" if len(anonymizer.input_shape) == 3 else "templates"


def export_torch(anonymizer: Anonymizer, path: Path) -> None:
    """Write an exported program, which `torch.export.load` reads."""
    with path.open("wb") as file:
        torch.export.save(_program(anonymizer), file)


def export_onnx(anonymizer: Anonymizer, path: Path) -> None:
    """Write an ONNX model; raises ExportError where onnx or onnxscript is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript")):
        raise ExportError("writing ONNX needs onnx and onnxscript: pip install 'aia-study[onnx]'")
    program = _program(anonymizer)
    inputs = [input_name(anonymizer), "drawn"][: len(program.graph_signature.user_inputs)]
    torch.onnx.export(
        program, (), path, input_names=inputs, output_names=["g"], external_data=False, verbose=False
    )


def _program(anonymizer: Anonymizer) -> torch.export.ExportedProgram:
    model = Release(anonymizer).eval().cpu()
    dtype = torch.uint8 if input_name(anonymizer) == "images" else torch.float32
    inputs = torch.ones(2, *anonymizer.input_shape, dtype=dtype)
    drawn = model.channel.draw(model.encoder(network_inputs(inputs)), None)
    several = torch.export.Dim("n", min=1)
    shapes: dict[str, dict[int, object] | None] = {"inputs": {0: several}, "drawn": None}
    if drawn is not None:
        shapes["drawn"] = {drawn.ndim - 2: several}
    with torch.no_grad():
        return torch.export.export(model, (inputs, drawn), dynamic_shapes=shapes)
