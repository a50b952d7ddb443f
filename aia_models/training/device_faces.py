"""A split's faces on the training device: uint8 images, attribute and identity."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int8, Int64, UInt8
from torch import Tensor

from aia_models.data.faces import FaceDataset
from aia_models.data.image_rows import ImageRows
from aia_models.data.pixels import unit_pixels


@dataclass(frozen=True)
class DeviceFaces:
    """Images in uint8, the first of them at `images[rows[0]]`, and their attributes, columns of 1, 0, -1 (unknown), on
    one device."""

    images: UInt8[Tensor, "whole 1 side side"]
    rows: Int64[Tensor, " n"]
    attributes: Int8[Tensor, "n attribute"]
    identity: np.ndarray

    @classmethod
    def load(cls, faces: FaceDataset, names: tuple[str, ...], device: str) -> "DeviceFaces":
        """Puts `faces` and the attributes `names` on `device`; on the CPU the images stay where they lie."""
        labels = torch.from_numpy(faces.attribute_columns(names)).to(device)
        if device == "cpu" and isinstance(faces.images, ImageRows):
            whole, rows = torch.from_numpy(faces.images.whole), torch.from_numpy(faces.images.rows)
            return cls(whole, rows, labels, faces.identity)
        images = torch.from_numpy(np.ascontiguousarray(faces.images)).to(device)
        return cls(images, torch.arange(len(images), device=device), labels, faces.identity)

    def __len__(self) -> int:
        return len(self.rows)

    def images_at(self, index: Tensor, memory_format: str) -> Float[Tensor, "batch 1 side side"]:
        """The images at `index` as float32 in [0, 1]."""
        batch = unit_pixels(self.images[self.rows[index]])
        return (
            batch.contiguous(memory_format=torch.channels_last) if memory_format == "channels_last" else batch
        )
