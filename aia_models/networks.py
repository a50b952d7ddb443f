"""The four networks of the AIA (paper, sections 4 and 5.2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.adversary import Adversary
from aia_models.config import DecoderConfig, EncoderConfig, MatcherConfig, TrainingConfig
from aia_models.standardise import standardise
from aia_models.streams import stream_seed

ENCODED_IMAGES = 256  # to encode at a time without gradients: their maps stay in the processor's cache
POOLED = 4  # two average poolings by 2: the map g is a quarter of the image's side


class Encoder(nn.Module):
    """Images to representations (Eq. 2, 3): two blocks of convolution, leaky ReLU and pooling, then a sigmoid."""

    def __init__(self, config: EncoderConfig, image_side: int) -> None:
        super().__init__()
        first, second = config.channels
        self.map_shape = (second, image_side // POOLED, image_side // POOLED)
        self.first = nn.Conv2d(1, first, 3, padding=1)
        self.second = nn.Conv2d(first, second, 3, padding=1)

    def forward(self, images: Float[Tensor, "batch 1 side side"]) -> Float[Tensor, "batch k"]:
        """Representations g in [0, 1], flattened channel by channel (`map_shape` is their shape as a map)."""
        hidden = F.avg_pool2d(F.leaky_relu(self.first(images)), 2)
        hidden = F.avg_pool2d(F.leaky_relu(self.second(hidden)), 2)
        return torch.sigmoid(hidden.float()).flatten(1)


class UpsampledConv(nn.Conv2d):
    """Nearest up-sampling by 2, then a 3x3 convolution, as the one transposed convolution that both amount to.

    Up-sampling spreads each value over 2x2 pixels, so the 3x3 kernel meets each value of the small map with sums
    of its weights: a 4x4 kernel at stride 2, 16 products per value and output channel instead of 36.
    """

    reach: Tensor

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__(channels, outputs, 3, padding=1)
        along = torch.tensor(
            [[0.0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0]]
        )  # which of 4 pixels each of 3 weights meets
        self.register_buffer("reach", torch.kron(along, along), persistent=False)

    def spread(self) -> Float[Tensor, "channel output 4 4"]:
        """The kernel over the pixels that one value of the small map reaches."""
        return (self.weight.transpose(0, 1).flatten(2) @ self.reach).unflatten(2, (4, 4))

    def forward(
        self, input: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch output 2*height 2*width"]:
        """What `nn.Conv2d` gives for the up-sampled map, up to rounding.

        The bias is added apart: within the transposed convolution its gradient takes a quarter of the backward pass.
        """
        assert self.bias is not None
        mapped = F.conv_transpose2d(input, self.spread(), stride=2, padding=1)
        return mapped.add_(self.bias.to(mapped.dtype)[:, None, None])


class UpsampledImage(UpsampledConv):
    """The same to a single channel, in the order that suits it: channels are summed up first, by one product, then
    the 16 numbers of each value are laid out and added."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 1)

    def forward(
        self, input: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch 1 2*height 2*width"]:
        """As `UpsampledConv`."""
        if input.is_cuda:  # there the gradient of `fold` goes image by image
            return super().forward(input)
        assert self.bias is not None
        height, width = input.shape[2:]
        reached = F.conv2d(input, self.spread().flatten(1).t()[:, :, None, None])
        image = F.fold(reached.flatten(2), (2 * height, 2 * width), 4, stride=2, padding=1)
        return image + self.bias[:, None, None]


class Decoder(nn.Module):
    """Representations to images (Eq. 4): blocks of convolution, leaky ReLU and nearest up-sampling."""

    def __init__(self, config: DecoderConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__()
        first, second = config.channels
        self.map_shape = map_shape
        self.first = nn.Conv2d(map_shape[0], first, 3, padding=1)
        self.second = UpsampledConv(first, second)
        self.last = UpsampledImage(second)

    def forward(self, released: Float[Tensor, "batch k"]) -> Float[Tensor, "batch 1 side side"]:
        """Logits of the reconstructed pixels; their sigmoid is the image in [0, 1]."""
        hidden = released.unflatten(1, self.map_shape)
        hidden = self.second(F.leaky_relu(self.first(hidden), inplace=True))
        return self.last(F.leaky_relu(hidden, inplace=True))


class Matcher(nn.Module):
    """One branch of the Siamese network of task T: three convolutions and three fully connected layers."""

    def __init__(self, config: MatcherConfig, map_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.map_shape = map_shape
        self.standardise = config.standardise
        channels = (map_shape[0], *config.conv_channels)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inner, outer, 3, padding=1) for inner, outer in pairwise(channels)
        )
        flat = channels[-1] * map_shape[1] * map_shape[2]
        first, second = config.hidden
        self.dense = nn.Sequential(
            nn.Linear(flat, first), nn.LeakyReLU(), nn.Linear(first, second), nn.LeakyReLU(),
            nn.Linear(second, config.embedding),
        )  # fmt: skip

    def forward(self, released: Float[Tensor, "batch k"]) -> Float[Tensor, "batch dim"]:
        """Embeddings whose Euclidean distance tells whether two images show one person."""
        hidden = standardise(released) if self.standardise else released
        hidden = hidden.unflatten(1, self.map_shape)
        for convolution in self.convolutions:
            hidden = F.leaky_relu(convolution(hidden))
        return self.dense(hidden.flatten(1))


class Networks(nn.Module):
    """Encoder, decoder, matcher and an adversary for each private attribute of one training; each initialised from its
    own random stream."""

    def __init__(self, config: TrainingConfig, image_side: int) -> None:
        super().__init__()
        with _seeded(config.seed, "encoder"):
            self.encoder = Encoder(config.encoder, image_side)
        shape = self.encoder.map_shape
        with _seeded(config.seed, "decoder"):
            self.decoder = Decoder(config.decoder, shape)
        with _seeded(config.seed, "adversary"):
            self.adversary = Adversary(config.adversary, shape)
        self.further_adversaries = nn.ModuleList()
        for number in range(2, len(config.betas) + 1):
            with _seeded(config.seed, f"adversary-{number}"):
                self.further_adversaries.append(Adversary(config.adversary, shape))
        with _seeded(config.seed, "matcher"):
            self.matcher = Matcher(config.matcher, shape)

    @property
    def adversaries(self) -> list[nn.Module]:
        """One for each private attribute."""
        return [self.adversary, *self.further_adversaries]

    def restart_adversaries(self, config: TrainingConfig, epoch: int) -> None:
        """Gives every adversary new weights, of a stream of their own for each epoch."""
        device = next(self.parameters()).device
        for number, adversary in enumerate(self.adversaries, start=1):
            with _seeded(config.seed, f"adversary-{number}-epoch-{epoch}"):
                fresh = Adversary(config.adversary, self.encoder.map_shape).to(device)
            adversary.load_state_dict(fresh.state_dict())


@contextmanager
def _seeded(seed: int, network: str) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "initialise", network))
        yield
