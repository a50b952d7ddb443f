"""The encoder that is shipped as a model of its own, for runtimes that have none of this project's code.

Its input `images` are uint8 `[n, 1, side, side]`, any n; its output `g` `[n, k]` is what is released. A channel that
draws something takes it as a second input, `drawn`: float32 `[n, k]` standard normal for noise, `[2, n, k]` uniform in
[0, 1] for random replacement. **Whoever knows what was drawn can take it off again**: it has to be drawn anew for each
image, from the operating system's entropy, and thrown away.
"""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from aia_models.data.pixels import unit_pixels
from aia_models.errors import ExportError
from aia_models.release.anonymizer import Anonymizer


class Release(nn.Module):
    """Images, and what is drawn for them, to what is released of them."""

    def __init__(self, anonymizer: Anonymizer) -> None:
        super().__init__()
        self.encoder = anonymizer.encoder
        self.channel = anonymizer.channel

    def forward(self, images: Tensor, drawn: Tensor | None = None) -> Tensor:
        return self.channel.release(self.encoder(unit_pixels(images)), drawn)


def export_torch(anonymizer: Anonymizer, path: Path) -> None:
    """Writes the exported program that `torch.export.load` reads."""
    with path.open("wb") as file:
        torch.export.save(_program(anonymizer), file)


def export_onnx(anonymizer: Anonymizer, path: Path) -> None:
    """Writes an ONNX model; ExportError where the packages that write it are missing."""
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript")):
        raise ExportError("writing ONNX needs onnx and onnxscript: pip install 'aia-study[onnx]'")
    program = _program(anonymizer)
    inputs = ["images", "drawn"][: len(program.graph_signature.user_inputs)]
    torch.onnx.export(
        program, (), path, input_names=inputs, output_names=["g"], external_data=False, verbose=False
    )


def _program(anonymizer: Anonymizer) -> torch.export.ExportedProgram:
    model = Release(anonymizer).eval().cpu()
    images = torch.zeros(2, 1, anonymizer.image_side, anonymizer.image_side, dtype=torch.uint8)
    drawn = model.channel.draw(model.encoder(images.float()), None)
    several = torch.export.Dim("n", min=1)
    shapes: dict[str, dict[int, object] | None] = {"images": {0: several}, "drawn": None}
    if drawn is not None:
        shapes["drawn"] = {drawn.ndim - 2: several}
    with torch.no_grad():
        return torch.export.export(model, (images, drawn), dynamic_shapes=shapes)
