"""The losses of Eq. 5 to 8 of the paper, each a mean over its elements, and contrastive losses over a batch."""

import torch
from jaxtyping import Bool, Float, Int8, Int32, Int64
from torch import Tensor
from torch.nn import functional as F

from aia_models.networks.standardise import standardise

TINY_SQUARED = 1e-12  # keeps the square root's gradient finite where two embeddings coincide


def reconstruction_loss(
    decoded: Float[Tensor, "batch *shape"], inputs: Float[Tensor, "batch *shape"]
) -> Float[Tensor, ""]:
    """Return the reconstruction loss, a mean over pixels or values.

    Of images this is Eq. 5 as the usual binary cross-entropy (the paper's swaps x and x' and drops the sign), and
    `decoded` are logits. Of templates it is the squared error.
    """
    if inputs.ndim == 2:
        return F.mse_loss(decoded.float(), inputs)
    return F.binary_cross_entropy_with_logits(decoded.float(), inputs)


def adversary_loss(
    log_odds: Float[Tensor, "batch member"], attribute: Int8[Tensor, " batch"], class_balanced: bool
) -> Float[Tensor, ""]:
    """Binary cross-entropy of the adversary (section 4.2), mean over images with a known attribute and members.

    `attribute` is 1, 0 or -1 (unknown: no part of the loss). With `class_balanced` the two classes of the
    batch weigh the same, so that guessing the larger one earns nothing. 0 where no attribute is known.
    """
    known, positive = attribute >= 0, attribute == 1
    per_image = F.binary_cross_entropy_with_logits(
        log_odds.float(), positive.float()[:, None].expand_as(log_odds), reduction="none"
    ).mean(1)
    weight = known.float()
    if class_balanced:
        for one_class in (positive, known & ~positive):
            weight = torch.where(one_class, 1 / one_class.sum().clamp_min(1), weight)
    return (per_image * weight).sum() / weight.sum().clamp_min(torch.finfo(torch.float32).tiny)


def contrastive_loss(
    left: Float[Tensor, "pair dim"],
    right: Float[Tensor, "pair dim"],
    different: Bool[Tensor, " pair"],
    counted: Bool[Tensor, " pair"],
    margin: float,
) -> Float[Tensor, ""]:
    """Eq. 7: pulls same-person pairs together, pushes others at least `margin` apart.

    Mean over the pairs that are `counted`; 0 where none is.
    """
    squared = (left.float() - right.float()).square().sum(1)
    distance = squared.clamp_min(TINY_SQUARED).sqrt()
    apart = (margin - distance).clamp_min(0).square()
    per_pair = torch.where(different, apart, squared) * counted
    return per_pair.sum() / counted.sum().clamp_min(1) / 2


def all_pairs_contrastive_loss(
    embedded: Float[Tensor, "batch dim"],
    identity: Int32[Tensor, " batch"],
    image: Int64[Tensor, " batch"],
    margin: float,
) -> Float[Tensor, ""]:
    """Eq. 7 over all pairs of a batch: the mean over pairs of one person and the mean over pairs of two, halved.

    Two rows with the same `image` are no pair.
    """
    lengths = embedded.square().sum(1)
    squared = (lengths[:, None] + lengths - 2 * embedded @ embedded.T).clamp_min(TINY_SQUARED)
    apart = (margin - squared.sqrt()).clamp_min(0).square()
    together = identity[:, None] == identity
    same, different = together & (image[:, None] != image), ~together
    pulled = (squared * same).sum() / same.sum().clamp_min(1)
    pushed = (apart * different).sum() / different.sum().clamp_min(1)
    return (pulled + pushed) / 4


def batch_contrastive_loss(
    released: Float[Tensor, "batch k"], identity: Int64[Tensor, " batch"], temperature: float
) -> Float[Tensor, ""]:
    """Contrastive identity loss over a batch: each image is to tell its person's other images from all the rest by
    cosine similarity (InfoNCE, van den Oord et al. 2018; several positives as in Khosla et al. 2020, Eq. 2).

    Representations are standardised over the batch first. Mean over the images that have a positive; 0 where none has.
    """
    directions = F.normalize(standardise(released.float()), dim=1)
    itself = torch.eye(len(directions), dtype=torch.bool, device=directions.device)
    logits = (directions @ directions.T / temperature).masked_fill(itself, -torch.inf)
    positive = (identity[:, None] == identity) & ~itself
    count = positive.sum(1)
    surprise = logits.logsumexp(1) - (logits.masked_fill(~positive, 0.0).sum(1) / count.clamp_min(1))
    return (surprise * (count > 0)).sum() / (count > 0).sum().clamp_min(1)


def total_loss(
    reconstruction: Float[Tensor, ""],
    utility: Float[Tensor, ""],
    penalties: Float[Tensor, " attribute"],
    alpha: float,
    betas: Float[Tensor, " attribute"],
) -> Float[Tensor, ""]:
    """Eq. 8, what encoder and decoder minimise: L_AE + alpha L_Siamese + the sum of beta times penalty over the private
    attributes, where the paper's penalty is -L_Adv."""
    return reconstruction + alpha * utility + betas @ penalties


class _ScaledGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor, factor: float) -> Tensor:  # type: ignore[override]
        ctx.factor = factor
        return values.view_as(values)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return grad * ctx.factor, None


def scaled_gradient(values: Float[Tensor, "batch k"], factor: float) -> Float[Tensor, "batch k"]:
    """`values` unchanged, their gradient times `factor`.

    In front of adversary and matcher one backward pass serves both sides: their weights receive the plain
    gradient of their own loss, the encoder that of Eq. 8, all at the same parameters (gradient reversal,
    Ganin and Lempitsky 2015, with factor -beta; alpha for the matcher).
    """
    return _ScaledGradient.apply(values, factor)  # type: ignore[return-value]
