"""Nearest up-sampling and the convolution after it, as one transposed convolution."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class UpsampledConv(nn.Conv2d):
    """Nearest up-sampling by 2, then a 3x3 convolution, computed as one equivalent transposed convolution.

    Up-sampling spreads each value over 2x2 pixels, so the 3x3 kernel meets each value of the small map with sums
    of its weights: a 4x4 kernel at stride 2, 16 products per value and output channel instead of 36.
    """

    reach: Tensor

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(channels, outputs, 3, padding=1)
        # Which of 4 pixels each of 3 weights meets.
        along = torch.tensor([[0.0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0]])
        self.register_buffer("reach", torch.kron(along, along), persistent=False)

    def spread(self) -> Float[Tensor, "channel output 4 4"]:
        """Return the kernel over the 4x4 pixels that one value of the small map affects."""
        return (self.weight.transpose(0, 1).flatten(2) @ self.reach).unflatten(2, (4, 4))

    def forward(
        self, input: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch output 2*height 2*width"]:
        """Return `nn.Conv2d` of the up-sampled map, up to rounding.

        The bias is added separately: as part of the transposed convolution its gradient takes a quarter of the backward
        pass.
        """
        assert self.bias is not None
        mapped = F.conv_transpose2d(input, self.spread(), stride=2, padding=1)
        return mapped.add_(self.bias.to(mapped.dtype)[:, None, None])


class UpsampledImage(UpsampledConv):
    """`UpsampledConv` to a single channel, computed in a faster order.

    One product sums over channels first; then the 16 numbers of each value are laid out and added.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 1)

    def forward(
        self, input: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch 1 2*height 2*width"]:
        """Return the same as `UpsampledConv.forward`."""
        if input.is_cuda:  # on CUDA the gradient of `fold` is computed image by image
            return super().forward(input)
        assert self.bias is not None
        height, width = input.shape[2:]
        reached = F.conv2d(input, self.spread().flatten(1).t()[:, :, None, None])
        image = F.fold(reached.flatten(2), (2 * height, 2 * width), 4, stride=2, padding=1)
        return image + self.bias[:, None, None]
