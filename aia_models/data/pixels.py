"""The range of pixel values that networks and attackers read."""

from jaxtyping import Float32, UInt8
from torch import Tensor


def unit_pixels(images: UInt8[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
    """Return uint8 pixels (0 to 255) as float32 in [0, 1].

    torchvision's `to_dtype(scale=True)` would multiply by 1/255, which rounds half of the values differently.
    """
    return images.float() / 255
