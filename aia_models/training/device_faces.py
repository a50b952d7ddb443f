"""The faces of one split on the training device."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int8, Int64, UInt8
from torch import Tensor

from aia_models.data.faces import FaceDataset
from aia_models.data.input_rows import InputRows
from aia_models.data.inputs import network_inputs


@dataclass(frozen=True)
class DeviceFaces:
    """Images or templates, and attributes, of one split on one device.

    Input i is `inputs[rows[i]]`, an image in uint8 or a template in float32. `attributes` has one column of 1, 0 and -1
    (unknown) per attribute.
    """

    inputs: UInt8[Tensor, "whole 1 side side"] | Float32[Tensor, "whole d"]
    rows: Int64[Tensor, " n"]
    attributes: Int8[Tensor, "n attribute"]
    identity: np.ndarray

    @classmethod
    def load(cls, faces: FaceDataset, names: tuple[str, ...], device: str) -> "DeviceFaces":
        """Copy `faces` and the attributes `names` to `device`; on the CPU, inputs are read without copying."""
        labels = torch.from_numpy(faces.attribute_columns(names)).to(device)
        if device == "cpu" and isinstance(faces.inputs, InputRows):
            whole, rows = torch.from_numpy(faces.inputs.whole), torch.from_numpy(faces.inputs.rows)
            return cls(whole, rows, labels, faces.identity)
        inputs = torch.from_numpy(np.ascontiguousarray(faces.inputs)).to(device)
        return cls(inputs, torch.arange(len(inputs), device=device), labels, faces.identity)

    def __len__(self) -> int:
        return len(self.rows)

    def inputs_at(self, index: Tensor, memory_format: str) -> Float[Tensor, "batch *shape"]:
        """Return the inputs at `index` as networks read them; `memory_format` is that of images."""
        batch = network_inputs(self.inputs[self.rows[index]])
        channels_last = memory_format == "channels_last" and batch.ndim == 4
        return batch.contiguous(memory_format=torch.channels_last) if channels_last else batch
