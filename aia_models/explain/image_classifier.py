"""A gender classifier of images, for Grad-CAM before and after anonymization (section 5.5)."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load_file, save
from torch import Tensor, nn

from aia_models.atomic_write import atomic_write
from aia_models.config import AdversaryConfig
from aia_models.data.faces import FaceDataset
from aia_models.data.input_rows import InputRows, Inputs
from aia_models.data.inputs import network_inputs
from aia_models.losses.losses import adversary_loss
from aia_models.networks.adversary import CNNAdversary
from aia_models.networks.encoder import ENCODED_IMAGES
from aia_models.networks.standardise import MIN_SD
from aia_models.random_streams import stream_seed
from aia_models.training.batches import image_batches

EPOCHS = 10
BATCH_IMAGES = 64
LEARNING_RATE = 1e-3


class ImageClassifier(nn.Module):
    """Section 5.2's six convolutions and linear layer, applied to the pixels of an image instead of g."""

    mean: Tensor
    sd: Tensor

    def __init__(self, image_side: int) -> None:
        super().__init__()
        self.network = CNNAdversary(AdversaryConfig(), (1, image_side, image_side))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("sd", torch.ones(()))

    def forward(self, images: Float[Tensor, "n 1 side side"]) -> Float[Tensor, "n 1"]:
        """Return the log-odds that the attribute is 1, for images in [0, 1]."""
        return self.network(((images - self.mean) / self.sd).flatten(1))

    @torch.no_grad()
    def probabilities(self, images: Float[Tensor, "n 1 side side"]) -> Float[np.ndarray, " n"]:
        """Return the probabilities that the attribute is 1, computed in chunks."""
        log_odds = torch.cat([self(part) for part in images.split(ENCODED_IMAGES)])
        return torch.sigmoid(log_odds.squeeze(1).double()).cpu().numpy()


def as_floats(images: Inputs | InputRows, device: str) -> Float[Tensor, "n 1 side side"]:
    """Return uint8 images as float32 in [0, 1] on `device`."""
    return network_inputs(torch.from_numpy(np.ascontiguousarray(images)).to(device))


def fit_image_classifier(faces: FaceDataset, attribute: str, seed: int, device: str) -> ImageClassifier:
    """Train a classifier on all `faces` with a known attribute; both classes have the same weight.

    Pixels are standardised by their mean and standard deviation over `faces`.
    """
    known = np.flatnonzero(faces.attribute(attribute) >= 0)
    images = as_floats(faces.inputs[known], device)
    labels = torch.from_numpy(faces.attribute(attribute)[known]).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "image-classifier", "initialise"))
        classifier = ImageClassifier(faces.input_shape[-1]).to(device)
    # In channels-last layout the convolutions run about three times as fast (docs/speed.md).
    classifier = classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    classifier.mean.copy_(images.mean())
    classifier.sd.copy_(images.std().clamp_min(MIN_SD))
    optimiser = torch.optim.Adam(classifier.parameters(), lr=LEARNING_RATE, fused=True)
    for epoch in range(EPOCHS):
        rng = np.random.default_rng(stream_seed(seed, "image-classifier", "batches", str(epoch)))
        for rows in torch.from_numpy(image_batches(len(images), BATCH_IMAGES, rng)).to(device):
            loss = adversary_loss(classifier(images[rows]), labels[rows], class_balanced=True)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return classifier.eval()


def save_image_classifier(classifier: ImageClassifier, path: Path) -> None:
    """Write the weights as safetensors, atomically."""
    weights = {name: value.cpu().contiguous() for name, value in classifier.state_dict().items()}
    with atomic_write(path) as aside:
        aside.write_bytes(save(weights))  # `save_file` would deny other users access


def load_image_classifier(path: Path, image_side: int, device: str) -> ImageClassifier:
    """Read a classifier written by `save_image_classifier`."""
    classifier = ImageClassifier(image_side).to(device)
    classifier.load_state_dict(load_file(path))
    return classifier.eval()
