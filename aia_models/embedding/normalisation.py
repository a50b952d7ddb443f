"""Normalisation of pixels, from 0 to 255, as a face network was trained with: (pixel - mean) / sd."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32

from aia_models.errors import EmbeddingError

DEFAULTS = {"mean": "127.5", "sd": "127.5"}  # of ArcFace (InsightFace) and FaceNet

PerChannel = Float32[np.ndarray, "channel 1 1"]


def read_normalisation(
    model: str, metadata: Mapping[str, str], options: Mapping[str, str | None], channels: int
) -> tuple[PerChannel, PerChannel]:
    """Return mean and standard deviation, float32 `[channels, 1, 1]`.

    Each is a text of one number, or of one per channel with commas between. It is taken from the model's `metadata`,
    else from `options`, else from `DEFAULTS`. Raises EmbeddingError for other texts, for a standard deviation that is
    not positive and for an option that contradicts the metadata.
    """
    found: dict[str, PerChannel] = {}
    for name, default in DEFAULTS.items():
        option, stored = options[name], metadata.get(name)
        if option is not None:
            found[name] = _per_channel(f"--{name}", option, channels)
        if stored is not None:
            own = _per_channel(f"{model}: its metadata key {name}", stored, channels)
            if not np.array_equal(found.setdefault(name, own), own):
                raise EmbeddingError(
                    f"--{name} is {option}, but {model} says {name} = {stored}: leave the option out"
                )
        found.setdefault(name, _per_channel(name, default, channels))
        if name == "sd" and not (found[name] > 0).all():
            where = "--sd" if stored is None else f"{model}: its metadata key sd"
            raise EmbeddingError(
                f"{where} is {option if stored is None else stored}: a positive number is needed"
            )
    return found["mean"], found["sd"]


def _per_channel(where: str, text: str, channels: int) -> PerChannel:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, channels) or not np.isfinite(np.array(numbers, np.float32)).all():
        several = f" or {channels} with commas between, one per channel," if channels > 1 else ""
        raise EmbeddingError(f"{where} is '{text}': one number{several} is needed")
    return np.broadcast_to(np.array(numbers, np.float32)[:, None, None], (channels, 1, 1))
