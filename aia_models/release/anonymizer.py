"""The encoder that is judged and shipped: encoder, fitted release channel, and the decoder for reconstructions."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from aia_models.config import TrainingConfig
from aia_models.data.image_rows import ImageRows, Images
from aia_models.data.pixels import unit_pixels
from aia_models.data.splits import SplitFaces
from aia_models.errors import DataError
from aia_models.networks.decoder import Decoder
from aia_models.networks.encoder import ENCODED_IMAGES, Encoder
from aia_models.networks.networks import Networks
from aia_models.release.channel import ReleaseChannel, fit_release_channel


class Anonymizer(nn.Module):
    """Maps images to released representations, and these back to images."""

    def __init__(self, config: TrainingConfig, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.config = config
        self.input_shape = input_shape
        self.encoder = Encoder(config.encoder, input_shape)
        self.decoder = Decoder(config.decoder, self.encoder.map_shape, input_shape)
        channels, height, width = self.encoder.map_shape
        self.channel = ReleaseChannel(config.channel, channels * height * width, len(config.betas))

    @torch.no_grad()
    def clean(self, images: Images | ImageRows) -> Float[Tensor, "n k"]:
        """Return representations g before the channel, in float32 on the module's device."""
        device = self.channel.low.device
        chunks = (torch.tensor(images[i : i + ENCODED_IMAGES]) for i in range(0, len(images), ENCODED_IMAGES))
        return torch.cat([self.encoder(unit_pixels(chunk.to(device))) for chunk in chunks])

    @torch.no_grad()
    def release(self, images: Images | ImageRows, generator: torch.Generator) -> Float[Tensor, "n k"]:
        """Return released representations of `images`; `generator`, on the module's device, draws the noise."""
        return self.channel(self.clean(images), generator)

    @torch.no_grad()
    def encode(self, images: np.ndarray | ImageRows) -> Float[Tensor, "n k"]:
        """Return released representations of `images` (uint8 `[n, 1, side, side]`, `side` as in training).

        Noise comes from the operating system's entropy. There is no seed, because anyone who knew it could subtract the
        noise. Raises DataError for images of another type or shape.
        """
        shape = self.input_shape
        if images.dtype != np.uint8 or images.shape[1:] != shape or not len(images):
            right = f"uint8 [N, {', '.join(map(str, shape))}]"
            raise DataError(f"images are {images.dtype} {list(images.shape)}: this encoder takes {right}")
        return self.channel(self.clean(images), None)

    @torch.no_grad()
    def reconstruct(self, released: Float[Tensor, "n k"]) -> Float[Tensor, "n 1 side side"]:
        """Return the decoder's images in [0, 1] for released representations."""
        return torch.sigmoid(self.decoder(released))

    def decode(self, released: Float32[np.ndarray, "n k"]) -> Float32[np.ndarray, "n 1 side side"]:
        """Reconstruct images like `reconstruct`, for arrays and in chunks."""
        device = self.channel.low.device
        parts = torch.from_numpy(released).split(ENCODED_IMAGES)
        return torch.cat([self.reconstruct(part.to(device)).cpu() for part in parts]).numpy()


def fit_anonymizer(networks: Networks, config: TrainingConfig, faces: SplitFaces) -> Anonymizer:
    """Return the trained encoder and decoder with the release channel fitted on g of the `train` identities."""
    anonymizer = Anonymizer(config, faces.input_shape).to(next(networks.parameters()).device)
    anonymizer.encoder.load_state_dict(networks.encoder.state_dict())
    anonymizer.decoder.load_state_dict(networks.decoder.state_dict())
    attributes = torch.from_numpy(faces.train.attribute_columns(faces.attributes))
    anonymizer.channel = fit_release_channel(config.channel, anonymizer.clean(faces.train.images), attributes)
    return anonymizer.eval()
