"""The penalty that the anonymizer minimises, weighted by β, in place of the paper's -L_Adv."""

import torch
from jaxtyping import Bool, Float, Int8
from torch import Tensor

RIDGE = 0.05  # of the mean of the kernel's diagonal
SHARPNESSES = (0.25, 1.0, 4.0)  # of RBF kernels, by the mean squared distance
MIN_PRODUCT = 1e-6
MIN_IMAGES = 8  # of known attribute in a batch: below this the penalty is 0


def kernel_ridge_penalty(
    released: Float[Tensor, "batch k"], attribute: Int8[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Return how well a kernel ridge regression on half of a batch predicts the attribute of the other half.

    The regression is fitted in closed form on the first half of the batch, the anchors, and judged on the second half,
    their partners, which show the same people where the utility is `batch_contrastive`: the squared correlation of
    prediction and attribute, where a negative correlation counts as 0. The penalty is the mean over RBF kernels of
    three widths, because an attribute may change over long distances of a representation or over short ones. An
    adversary in closed form never lags behind the encoder (OptNet-ARL, Sadeghi, Wang and Boddeti 2021, arXiv
    2109.05535).

    Images of unknown attribute (-1) are left out. The penalty is 0 where fewer than `MIN_IMAGES` are left, where those
    of one half have one value, or where all representations are equal.
    """
    known = attribute >= 0
    first = torch.arange(len(released), device=released.device) < len(released) // 2
    labels = (attribute[known] == 1).float()
    fitted = first[known]
    usable = len(labels) >= MIN_IMAGES and all(
        bool((labels[half] != labels[half][:1]).any()) for half in (fitted, ~fitted)
    )
    if not usable:
        return released.sum() * 0.0
    with torch.autocast(released.device.type, enabled=False):  # distances are differences of large numbers
        squared = _squared_distances(released[known].float())
        if not bool(squared.any()):
            return squared.sum()
        centred = labels - labels.mean()
        kernels = [torch.exp(-sharpness * squared / squared.mean()) for sharpness in SHARPNESSES]
        return torch.stack([_squared_correlation(kernel, centred, fitted) for kernel in kernels]).mean()


def _squared_correlation(
    kernel: Float[Tensor, "n n"], centred: Float[Tensor, " n"], fitted: Bool[Tensor, " n"]
) -> Float[Tensor, ""]:
    kernel = _doubly_centred(kernel)
    ridge = RIDGE * kernel.diagonal().mean()
    own = kernel[fitted][:, fitted] + ridge * torch.eye(int(fitted.sum()), device=kernel.device)
    predicted = kernel[~fitted][:, fitted] @ torch.linalg.solve(own, centred[fitted])
    truth = centred[~fitted]
    together = (predicted * truth).mean().clamp_min(0).square()
    return together / (predicted.square().mean() * truth.square().mean() + MIN_PRODUCT)


def _squared_distances(features: Float[Tensor, "n k"]) -> Float[Tensor, "n n"]:
    features = features - features.mean(0)
    lengths = features.square().sum(1)
    return (lengths[:, None] + lengths - 2 * features @ features.T).clamp_min(0)


def _doubly_centred(kernel: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    return kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
