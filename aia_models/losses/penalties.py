"""Penalties that the anonymizer minimises, weighted by β, in place of the paper's -L_Adv.

Each measures how much a representation reveals of the private attribute (or, for the bottleneck, of the image).
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int8, Int64
from torch import Tensor
from torch.nn import functional as F

from aia_models.config import PenaltyKind, Schedule
from aia_models.losses.partial_whitening import partially_whiten

RIDGE = 0.1  # of the mean of the kernel's diagonal
WIDTHS_RIDGE = 0.05
SHARPNESSES = (0.25, 1.0, 4.0)  # of RBF kernels, by the mean squared distance
RANDOM_FEATURES = 1024
RAMP_SHARE = 0.3  # of the joint epochs in which β grows to its full value
REVERSAL_STEEPNESS = 10.0  # Ganin and Lempitsky's
MIN_PRODUCT = 1e-6
MIN_IMAGES = 8  # of known attribute in a batch: below this a kernel term is 0

Penalty = Callable[[Float[Tensor, "batch k"], Float[Tensor, " batch"], bool, torch.Generator], Tensor]


def scheduled(schedule: Schedule, progress: float) -> float:
    """Return the share of β in force at `progress` (0 to 1) of joint training.

    `ramp` grows linearly over the first 30 %; `reversal` is 2 / (1 + exp(-10 progress)) - 1, gradient reversal's
    schedule (Ganin and Lempitsky 2015, section 4.2).
    """
    if schedule == "ramp":
        return min(1.0, progress / RAMP_SHARE)
    if schedule == "reversal":
        return 2 / (1 + math.exp(-REVERSAL_STEEPNESS * progress)) - 1
    return 1.0


def negative_entropy(log_odds: Float[Tensor, "batch member"]) -> Float[Tensor, ""]:
    """Return minus the mean entropy of the adversary's answers, in nats: -log 2 where it guesses (maximum entropy
    adversarial representation learning, Roy and Boddeti 2019, arXiv 1904.05514)."""
    log_odds = log_odds.float()
    return -F.binary_cross_entropy_with_logits(log_odds, torch.sigmoid(log_odds))


def rate(g: Float[Tensor, "batch k"], noise_sd: float) -> Float[Tensor, ""]:
    """Return an upper bound of the image's information in g + noise, in nats per coordinate: mean log(1 + var/sd²) / 2.

    The KL term of the variational information bottleneck (Alemi et al. 2017, arXiv 1612.00410) for Gaussian noise of
    fixed width, with the best factorised Gaussian as its marginal.
    """
    variance = g.float().var(0, correction=0)
    return torch.log1p(variance / noise_sd**2).mean() / 2


def kernel_ridge(
    features: Float[Tensor, "n k"],
    centred: Float[Tensor, " n"],
    mirrored: bool,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """Return the squared correlation of the attribute with the prediction of kernel ridge regression in closed form.

    The regression is fitted on a random half of the batch and judged on the other; a negative correlation counts as 0.

    A closed-form adversary never lags behind the encoder (OptNet-ARL, Sadeghi, Wang and Boddeti 2021, arXiv
    2109.05535). Kernel: RBF of the mean squared distance, plus the linear one unless `mirrored`.
    """
    kernel = _rbf(features) + (0.0 if mirrored else features @ features.T / features.shape[1])
    return _ridge_correlation(kernel, centred, _halves(len(centred), generator, kernel.device), RIDGE)


def kernel_ridge_rff(
    features: Float[Tensor, "n k"],
    centred: Float[Tensor, " n"],
    mirrored: bool,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """Return `kernel_ridge` with its RBF kernel approximated by random Fourier features, new ones at each call."""
    mapped = random_fourier_features(features, generator)
    kernel = mapped @ mapped.T + (0.0 if mirrored else features @ features.T / features.shape[1])
    return _ridge_correlation(kernel, centred, _halves(len(centred), generator, kernel.device), RIDGE)


def random_fourier_features(
    features: Float[Tensor, "n k"], generator: torch.Generator
) -> Float[Tensor, "n random"]:
    """Return features whose inner products approximate the RBF kernel of the mean squared distance (Rahimi and Recht
    2007)."""
    width = 1 / _squared_distances(features).mean()
    draw = {"generator": generator, "device": features.device}
    frequencies = torch.randn(features.shape[1], RANDOM_FEATURES, **draw) * (2 * width).sqrt()
    phases = torch.rand(RANDOM_FEATURES, **draw) * 2 * math.pi
    return torch.cos(features @ frequencies + phases) * math.sqrt(2 / RANDOM_FEATURES)


def several_widths(
    features: Float[Tensor, "n k"],
    centred: Float[Tensor, " n"],
    mirrored: bool,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """Return the mean of `kernel_ridge` over RBF kernels of several widths, on the same halves of the batch.

    An attribute may change over long distances of a code or over short ones: one width misses the others.
    """
    squared = _squared_distances(features)
    halves = _halves(len(centred), generator, features.device)
    kernels = [torch.exp(-sharpness * squared / squared.mean()) for sharpness in SHARPNESSES]
    return torch.stack(
        [_ridge_correlation(kernel, centred, halves, WIDTHS_RIDGE) for kernel in kernels]
    ).mean()


def hsic(
    features: Float[Tensor, "n k"],
    centred: Float[Tensor, " n"],
    mirrored: bool,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """Hilbert-Schmidt independence criterion (Gretton et al. 2005) of representation (RBF kernel) and attribute (linear
    kernel), normalised to [0, 1] as centred kernel alignment (Cortes, Mohri and Rostamizadeh 2012)."""
    kernel = _doubly_centred(_rbf(features))
    together = centred @ kernel @ centred
    return together / (torch.linalg.matrix_norm(kernel) * centred.square().sum() + MIN_PRODUCT)


KERNEL_TERMS: dict[PenaltyKind, Penalty] = {
    "kernel_ridge": kernel_ridge,
    "kernel_ridge_rff": kernel_ridge_rff,
    "hsic": hsic,
    "several_widths": several_widths,
}
ON_CODES = ("several_widths",)  # read representations as they are, the others partially whitened ones


def kernel_penalty(
    kind: PenaltyKind,
    released: Float[Tensor, "batch k"],
    attribute: Int8[Tensor, " batch"],
    mirrored: bool,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """Return the kernel term `kind` on the partially whitened representations of the batch.

    Images of unknown attribute (-1) are left out. The term is 0 where fewer than `MIN_IMAGES` are left, all have one
    value, or all representations are equal. With `mirrored` the classes' means are swapped first: f - 2 y (y'f) / (y'y)
    with y the centred attribute.
    """
    rows = (attribute >= 0).nonzero()[:, 0]
    labels = (attribute[rows] == 1).float()
    centred = labels - labels.mean()
    if len(rows) < MIN_IMAGES or not bool(centred.any()):
        return released.sum() * 0.0
    with torch.autocast(released.device.type, enabled=False):  # distances are differences of large numbers
        features = released[rows].float()
        features = features - features.mean(0) if kind in ON_CODES else partially_whiten(features)
        if not bool(features.any()):
            return features.sum()
        if mirrored:
            features = features - 2 * torch.outer(centred, centred @ features) / (centred @ centred)
        return KERNEL_TERMS[kind](features, centred, mirrored, generator)


def _ridge_correlation(
    kernel: Float[Tensor, "n n"],
    centred: Float[Tensor, " n"],
    halves: tuple[Int64[Tensor, "_"], ...],
    share: float,
) -> Float[Tensor, ""]:
    kernel = _doubly_centred(kernel)
    fitted, judged = halves
    ridge = share * kernel.diagonal().mean()
    own = kernel[fitted[:, None], fitted] + ridge * torch.eye(len(fitted), device=kernel.device)
    predicted = kernel[judged[:, None], fitted] @ torch.linalg.solve(own, centred[fitted])
    truth = centred[judged]
    together = (predicted * truth).mean().clamp_min(0).square()
    return together / (predicted.square().mean() * truth.square().mean() + MIN_PRODUCT)


def _halves(count: int, generator: torch.Generator, device: torch.device) -> tuple[Int64[Tensor, "_"], ...]:
    order = torch.randperm(count, generator=generator, device=device)
    return order[: count // 2], order[count // 2 :]


def _rbf(features: Float[Tensor, "n k"]) -> Float[Tensor, "n n"]:
    squared = _squared_distances(features)
    return torch.exp(-squared / squared.mean())


def _squared_distances(features: Float[Tensor, "n k"]) -> Float[Tensor, "n n"]:
    lengths = features.square().sum(1)
    return (lengths[:, None] + lengths - 2 * features @ features.T).clamp_min(0)


def _doubly_centred(kernel: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    return kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
