"""Files of finished blocks: an array with a row for each image that can be read, and the images that cannot."""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from aia_models.atomic_write import atomic_write
from aia_models.data.sources.source import Unreadable

# Images that cannot be decoded, each with its row in the data set.
NumberedUnreadable = tuple[tuple[int, Unreadable], ...]


def write_block(path: Path, inputs: np.ndarray, unreadable: NumberedUnreadable) -> None:
    """Write a block's images or templates atomically; raises OSError where the file cannot be written."""
    numbered = [[row, image.path, image.why] for row, image in unreadable]
    with atomic_write(path) as aside:
        aside.write_bytes(save({"inputs": inputs}, metadata={"unreadable": json.dumps(numbered)}))


def read_array(path: Path) -> np.ndarray:
    """Return a block's images or templates; raises OSError or SafetensorError where the file is missing or damaged."""
    with safe_open(path, framework="numpy") as file:
        return file.get_tensor("inputs")


def read_unreadable(path: Path) -> NumberedUnreadable | None:
    """Return the unreadable images that a block's file lists; None where there is no complete file."""
    try:
        with safe_open(path, framework="numpy") as file:
            numbered = json.loads(file.metadata()["unreadable"])
    except (FileNotFoundError, SafetensorError):
        return None
    return tuple((row, Unreadable(image, why)) for row, image, why in numbered)
