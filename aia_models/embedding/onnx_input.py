"""The form in which an ONNX model takes crops, read from the shape and type of its input."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from aia_models.errors import EmbeddingError

CHANNELS = (1, 3)
DTYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}
NEEDED = "[n, 3, side, side] or [n, side, side, 3] with a dynamic n is needed (1 instead of 3 for grey)"

Axes = Sequence[int | str | None]


@dataclass(frozen=True)
class OnnxInput:
    """An input of `channels` channels and `side` pixels in height and width.

    `channels_last` tells NHWC from NCHW. With `one_at_a_time` the batch axis is fixed to 1. `dtype` is what it takes.
    """

    channels: int
    side: int
    channels_last: bool
    one_at_a_time: bool
    dtype: type[np.float32] | type[np.uint8]

    def arranged(
        self, pixels: UInt8[np.ndarray, "n channel side side"] | Float32[np.ndarray, "n channel side side"]
    ) -> np.ndarray:
        """Return NCHW pixels in the order of axes and the type of the model."""
        axes = (0, 2, 3, 1) if self.channels_last else (0, 1, 2, 3)
        return np.ascontiguousarray(pixels.transpose(axes), dtype=self.dtype)


def read_input(model: str, kind: str, axes: Axes, side: int | None) -> OnnxInput:
    """Return the form of an input of type `kind`; an axis is a number, or a name or None where it is dynamic.

    `side` is the user's, for models with dynamic height and width. Raises EmbeddingError, in one line, for an input
    that cannot take crops and for a `side` that is missing or contradicts the model's.
    """
    shown = _shown(axes)
    if len(axes) == 3:
        raise EmbeddingError(f"{model}: its input {shown} has no batch axis: {NEEDED}")
    if len(axes) != 4:
        raise EmbeddingError(f"{model}: its input {shown} has {len(axes)} axes: {NEEDED}")
    if kind not in DTYPES:
        raise EmbeddingError(f"{model}: its input is {kind}: tensor(float) or tensor(uint8) is needed")
    if isinstance(axes[0], int) and axes[0] != 1:
        raise EmbeddingError(f"{model}: its input {shown} has a fixed batch of {axes[0]}: {NEEDED}")
    channels_last = axes[1] not in CHANNELS
    channels = axes[3] if channels_last else axes[1]
    if channels not in CHANNELS:
        raise EmbeddingError(f"{model}: its input {shown} has neither 3 channels nor 1: {NEEDED}")
    assert isinstance(channels, int)
    return OnnxInput(
        channels=channels,
        side=_side(model, shown, axes[1:3] if channels_last else axes[2:4], side),
        channels_last=channels_last,
        one_at_a_time=axes[0] == 1,
        dtype=DTYPES[kind],
    )


def _side(model: str, shown: str, axes: Axes, given: int | None) -> int:
    fixed = {axis for axis in axes if isinstance(axis, int)}
    if len(fixed) > 1:
        height, width = axes
        raise EmbeddingError(
            f"{model}: its input {shown} is {height} x {width} pixels: a square one is needed"
        )
    if not fixed and given is None:
        raise EmbeddingError(
            f"{model}: its input {shown} fixes no height and width: give --side, such as --side 112"
        )
    side = fixed.pop() if fixed else given
    if given not in (None, side):
        raise EmbeddingError(f"--side is {given}, but {model} takes {side} x {side} pixels: leave --side out")
    assert isinstance(side, int)
    return side


def _shown(axes: Axes) -> str:
    return f"[{', '.join('?' if axis is None else str(axis) for axis in axes)}]"
