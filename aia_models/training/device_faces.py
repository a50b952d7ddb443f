"""The faces of one split on the training device."""

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
    """Images and attributes of one split on one device.

    Image i is `images[rows[i]]`, in uint8. `attributes` has one column of 1, 0 and -1 (unknown) per attribute.
    """

    images: UInt8[Tensor, "whole 1 side side"]
    rows: Int64[Tensor, " n"]
    attributes: Int8[Tensor, "n attribute"]
    identity: np.ndarray

    @classmethod
    def load(cls, faces: FaceDataset, names: tuple[str, ...], device: str) -> "DeviceFaces":
        """Copy `faces` and the attributes `names` to `device`; on the CPU, images are read without copying."""
        labels = torch.from_numpy(faces.attribute_columns(names)).to(device)
        if device == "cpu" and isinstance(faces.images, ImageRows):
            whole, rows = torch.from_numpy(faces.images.whole), torch.from_numpy(faces.images.rows)
            return cls(whole, rows, labels, faces.identity)
        images = torch.from_numpy(np.ascontiguousarray(faces.images)).to(device)
        return cls(images, torch.arange(len(images), device=device), labels, faces.identity)

    def __len__(self) -> int:
        return len(self.rows)

    def images_at(self, index: Tensor, memory_format: str) -> Float[Tensor, "batch 1 side side"]:
        """Return the images at `index` as float32 in [0, 1]."""
        batch = unit_pixels(self.images[self.rows[index]])
        return (
            batch.contiguous(memory_format=torch.channels_last) if memory_format == "channels_last" else batch
        )
