"""The networks of one training (paper, sections 4 and 5.2), each initialised from its own random stream."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from aia_models.config import TrainingConfig
from aia_models.networks.adversary import Adversary
from aia_models.networks.decoder import build_decoder
from aia_models.networks.encoder import Encoder
from aia_models.networks.matcher import Matcher
from aia_models.random_streams import stream_seed


class Networks(nn.Module):
    """Encoder, decoder, matcher and one adversary per private attribute; each is initialised from its own random
    stream, so that another size of one network leaves the initial weights of the others as they are.

    `input_shape` is the shape of one input, `(1, side, side)` of an image or `(d,)` of a template.
    """

    def __init__(self, config: TrainingConfig, input_shape: tuple[int, ...]) -> None:
        super().__init__()
        with _seeded(config.seed, "encoder"):
            self.encoder = Encoder(config.encoder, input_shape)
        shape = self.encoder.map_shape
        with _seeded(config.seed, "decoder"):
            self.decoder = build_decoder(config.decoder, shape, input_shape)
        self.adversaries = nn.ModuleList()
        for number in range(1, len(config.betas) + 1):
            with _seeded(config.seed, "adversary" if number == 1 else f"adversary-{number}"):
                self.adversaries.append(Adversary(config.adversary, shape))
        with _seeded(config.seed, "matcher"):
            self.matcher = Matcher(config.matcher, shape)


@contextmanager
def _seeded(seed: int, network: str) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "initialise", network))
        yield
