"""The form in which networks and attackers read faces: pixels in [0, 1], or templates of one length."""

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional as F


def network_inputs(
    stored: UInt8[Tensor, "n 1 side side"] | Float32[Tensor, "n d"],
) -> Float32[Tensor, "n *shape"]:
    """Return stored faces as networks read them.

    The uint8 pixels of images, 0 to 255, become float32 in [0, 1]: torchvision's `to_dtype(scale=True)` would multiply
    by 1/255, which rounds half of the values differently. Templates of d values, which face networks compare by their
    cosine, are scaled to length √d, so that their values have mean square 1.
    """
    if stored.dtype == torch.uint8:
        return stored.float() / 255
    return F.normalize(stored, dim=1) * stored.shape[1] ** 0.5


def input_form(shape: tuple[int, ...]) -> str:
    """Return what inputs of a shape are, for messages: `images` or `templates of 128 values`."""
    return "images" if len(shape) == 3 else f"templates of {shape[0]} values"
