"""An attack by ensembles of perceptrons with one to three layers, all trained together as one batched network."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.judging.attackers.examples import Examples, Reading, View
from aia_models.random_streams import stream

LAYERS = (1, 2, 3)
COMPONENTS = 50
WIDTH = 64
MAX_STEPS, MAX_EPOCHS = 200, 20
BATCH_ROWS = 128  # half of them with the attribute
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1.0
CERTAINTY = 0.95  # target of a row with the attribute: with 1, gradients vanish once all rows are learnt


def perceptrons(examples: Examples, seed: int) -> dict[str, Reading]:
    """Return the reading of each vantage: the mean score of its perceptrons, each scaled to variance 1.

    Perceptrons of one, two and three layers read the leading components and, where these are not all coordinates, the
    scaled representations. A mean over them reads more than the one that is best on held-back people, so nothing is
    chosen.
    """
    vantages = list(examples.vantages)
    scores = np.zeros((len(vantages), len(examples.judged_rows)))
    views = [examples.components.leading(COMPONENTS)]
    if examples.rows.shape[1] > COMPONENTS:
        views.append(examples.scaled)
    for number, view in enumerate(views):
        own = [examples.rows_of(examples.vantages[vantage]) for vantage in vantages]
        rows = [rows for rows in own for _ in LAYERS]
        network = _train(view, examples.labels, rows, seed, f"view-{number}")
        with torch.no_grad():
            read = network(view.judged.expand(len(rows), -1, -1)).double().cpu().numpy()
        spread = np.maximum(read.std(1, keepdims=True), 1e-12)
        scores += (read / spread).reshape(len(vantages), len(LAYERS), -1).sum(1)
    setting = f"{len(views) * len(LAYERS)} perceptrons"
    return {
        vantage: Reading(own / (len(views) * len(LAYERS)), setting)
        for vantage, own in zip(vantages, scores, strict=True)
    }


class _Perceptrons(nn.Module):
    """Perceptrons of one to three hidden layers as one batched network; `LAYERS` repeats over the vantages."""

    skipped: Bool[Tensor, "layer member 1 1"]

    def __init__(self, inputs: int, members: int, generator: torch.Generator, device: torch.device) -> None:
        super().__init__()
        sizes = [inputs, *[WIDTH] * max(LAYERS), 1]
        self.weights = nn.ParameterList(
            torch.randn(members, inner, outer, generator=generator).mul_((2 / inner) ** 0.5).to(device)
            for inner, outer in pairwise(sizes)
        )
        self.biases = nn.ParameterList(torch.zeros(members, 1, outer, device=device) for outer in sizes[1:])
        layers = torch.tensor(LAYERS * (members // len(LAYERS)), device=device)
        self.register_buffer(
            "skipped", torch.stack([layers < layer for layer in range(1, max(LAYERS) + 1)])[:, :, None, None]
        )

    def forward(self, inputs: Float[Tensor, "member n dim"]) -> Float[Tensor, "member n"]:
        """Return each member's log-odds."""
        hidden = torch.relu(torch.baddbmm(self.biases[0], inputs, self.weights[0]))
        for layer in range(1, max(LAYERS)):
            deeper = torch.relu(torch.baddbmm(self.biases[layer], hidden, self.weights[layer]))
            hidden = torch.where(self.skipped[layer], hidden, deeper)
        return torch.baddbmm(self.biases[-1], hidden, self.weights[-1])[..., 0]


def _train(
    view: View, labels: Bool[Tensor, " row"], rows: list[Int64[Tensor, " _"]], seed: int, name: str
) -> _Perceptrons:
    """Train one member on each entry of `rows`, with a step size that falls to 0 and decoupled weight decay."""
    device = view.learnt.device
    generator = stream(seed, "perceptrons", name)
    steps = min(-(-MAX_EPOCHS * max(map(len, rows)) // BATCH_ROWS), MAX_STEPS)
    network = _Perceptrons(view.learnt.shape[1], len(rows), generator, device)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    targets = torch.full((BATCH_ROWS,), CERTAINTY, device=device)
    targets[BATCH_ROWS // 2 :] = 1 - CERTAINTY
    for batch in _batches(labels, rows, steps, generator):
        log_odds = network(view.learnt[batch])
        loss = F.binary_cross_entropy_with_logits(log_odds, targets.expand_as(log_odds), reduction="none")
        optimiser.zero_grad()
        loss.mean(1).sum().backward()
        optimiser.step()
        with torch.no_grad():
            for weight in network.weights:
                weight.mul_(1 - schedule.get_last_lr()[0] * WEIGHT_DECAY)
        schedule.step()
    return network


def _batches(
    labels: Bool[Tensor, " row"], rows: list[Int64[Tensor, " _"]], steps: int, generator: torch.Generator
) -> Iterator[Int64[Tensor, "member batch"]]:
    """Draw `steps` batches for each member, half of each with the attribute; drawn on the CPU, the same on every
    device."""
    sides = [(own[labels[own]], own[~labels[own]]) for own in rows]
    for _ in range(steps):
        yield torch.stack(
            [
                torch.cat(
                    [
                        side[
                            torch.randint(len(side), (BATCH_ROWS // 2,), generator=generator).to(side.device)
                        ]
                        for side in both
                    ]
                )
                for both in sides
            ]
        )
