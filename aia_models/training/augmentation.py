"""Augmentation of training images by horizontal reflections and translations (Krizhevsky, Sutskever and Hinton 2012,
section 4.1). Every image has its own random draws from a named stream, on the images' device."""

import torch
from jaxtyping import Float
from torch import Tensor

from aia_models.config import Augmentation

SHIFT_SHARE = 1 / 16  # of the image's side: the furthest shift in each direction


def augmented(
    images: Float[Tensor, "batch 1 side side"], augmentation: Augmentation, generator: torch.Generator
) -> Float[Tensor, "batch 1 side side"]:
    """Return `images`, each mirrored left to right with probability 1/2 (`flip`).

    `flip_shift` also moves each by whole pixels and repeats its edge; `none` returns `images` and draws nothing.
    """
    if augmentation == "none":
        return images
    draw = {"generator": generator, "device": images.device}
    count, side = len(images), images.shape[-1]
    mirrored = torch.rand(count, **draw) < 0.5
    columns = torch.arange(side, device=images.device).expand(count, side)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    if augmentation == "flip":
        return images.gather(3, columns[:, None, None, :].expand_as(images))
    furthest = max(round(side * SHIFT_SHARE), 1)
    across, down = torch.randint(-furthest, furthest + 1, (2, count, 1), **draw)
    columns = (columns + across).clamp(0, side - 1)
    rows = (torch.arange(side, device=images.device) + down).clamp(0, side - 1)
    moved = images.gather(2, rows[:, None, :, None].expand_as(images))
    return moved.gather(3, columns[:, None, None, :].expand_as(images))
