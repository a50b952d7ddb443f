"""The encoder that is judged and shipped: encoder, fitted release channel, and the decoder for reconstructions."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from aia_models.config import TrainingConfig
from aia_models.data.input_rows import InputRows, Inputs
from aia_models.data.inputs import network_inputs
from aia_models.data.splits import SplitFaces
from aia_models.data.templates import check_templates
from aia_models.errors import DataError
from aia_models.networks.decoder import build_decoder
from aia_models.networks.encoder import ENCODED_IMAGES, Encoder
from aia_models.networks.networks import Networks
from aia_models.release.channel import ReleaseChannel, fit_release_channel


class Anonymizer(nn.Module):
    """Maps images or templates of one shape to released representations, and these back."""

    def __init__(self, config: TrainingConfig, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.config = config
        self.input_shape = input_shape
        self.encoder = Encoder(config.encoder, input_shape)
        self.decoder = build_decoder(config.decoder, self.encoder.map_shape, input_shape)
        channels, height, width = self.encoder.map_shape
        self.channel = ReleaseChannel(config.channel, channels * height * width, len(config.betas))

    @torch.no_grad()
    def clean(self, inputs: Inputs | InputRows) -> Float[Tensor, "n k"]:
        """Return representations g before the channel, in float32 on the module's device."""
        device = self.channel.low.device
        chunks = (torch.tensor(inputs[i : i + ENCODED_IMAGES]) for i in range(0, len(inputs), ENCODED_IMAGES))
        return torch.cat([self.encoder(network_inputs(chunk.to(device))) for chunk in chunks])

    @torch.no_grad()
    def release(self, inputs: Inputs | InputRows, generator: torch.Generator) -> Float[Tensor, "n k"]:
        """Return released representations of `inputs`; `generator`, on the module's device, draws the noise."""
        return self.channel(self.clean(inputs), generator)

    @torch.no_grad()
    def encode(self, inputs: np.ndarray | InputRows) -> Float[Tensor, "n k"]:
        """Return released representations of `inputs`, of the shape as in training.

        Images are uint8 `[n, 1, side, side]`, templates float32 `[n, d]`. Noise comes from the operating system's
        entropy. There is no seed, because anyone who knew it could subtract the noise. Raises DataError for inputs of
        another type or shape, and for templates that are not finite or hold zeros only.
        """
        shape = self.input_shape
        named, dtype = ("images", np.uint8) if len(shape) == 3 else ("templates", np.float32)
        if inputs.dtype != dtype or inputs.shape[1:] != shape or not len(inputs):
            right = f"{named}, {np.dtype(dtype)} [N, {', '.join(map(str, shape))}]"
            raise DataError(f"inputs are {inputs.dtype} {list(inputs.shape)}: this encoder takes {right}")
        if named == "templates":
            check_templates(np.asarray(inputs), lambda row: f"template {row}")
        return self.channel(self.clean(inputs), None)

    @torch.no_grad()
    def reconstruct(self, released: Float[Tensor, "n k"]) -> Float[Tensor, "n *shape"]:
        """Return the decoder's images in [0, 1], or its templates, for released representations."""
        decoded = self.decoder(released)
        return torch.sigmoid(decoded) if len(self.input_shape) == 3 else decoded

    def decode(self, released: Float32[np.ndarray, "n k"]) -> Float32[np.ndarray, "n *shape"]:
        """Reconstruct images or templates like `reconstruct`, for arrays and in chunks."""
        device = self.channel.low.device
        parts = torch.from_numpy(released).split(ENCODED_IMAGES)
        return torch.cat([self.reconstruct(part.to(device)).cpu() for part in parts]).numpy()


def fit_anonymizer(networks: Networks, config: TrainingConfig, faces: SplitFaces) -> Anonymizer:
    """Return the trained encoder and decoder with the release channel fitted on g of the `train` identities."""
    anonymizer = Anonymizer(config, faces.input_shape).to(next(networks.parameters()).device)
    anonymizer.encoder.load_state_dict(networks.encoder.state_dict())
    anonymizer.decoder.load_state_dict(networks.decoder.state_dict())
    attributes = torch.from_numpy(faces.train.attribute_columns(faces.attributes))
    anonymizer.channel = fit_release_channel(config.channel, anonymizer.clean(faces.train.inputs), attributes)
    return anonymizer.eval()
