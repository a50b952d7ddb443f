"""A split's faces on the training device: uint8 images, attribute and identity."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int8, UInt8
from torch import Tensor

from aia_models.data.faces import FaceDataset


@dataclass(frozen=True)
class DeviceFaces:
    """Images `[n, 1, side, side]` in uint8 and its attributes, columns of 1, 0, -1 (unknown), on one device."""

    images: UInt8[Tensor, "n 1 side side"]
    attributes: Int8[Tensor, "n attribute"]
    identity: np.ndarray

    @classmethod
    def load(cls, faces: FaceDataset, names: tuple[str, ...], device: str) -> "DeviceFaces":
        """Copies `faces` and the attributes `names` to `device`."""
        images = torch.from_numpy(np.ascontiguousarray(faces.images)).to(device)
        labels = torch.from_numpy(faces.attribute_columns(names)).to(device)
        return cls(images, labels, faces.identity)

    def __len__(self) -> int:
        return len(self.images)

    def images_at(self, index: Tensor, memory_format: str) -> Float[Tensor, "batch 1 side side"]:
        """The images at `index` as float32 in [0, 1]."""
        batch = self.images[index].float() / 255
        return (
            batch.contiguous(memory_format=torch.channels_last) if memory_format == "channels_last" else batch
        )
