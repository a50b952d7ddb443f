"""Small face folders: noise images and a labels.csv."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def _write(
    folder: Path, *, people: int = 24, images: int = 2, gender: Callable[[int], str] | None = None
) -> Path:
    stream = np.random.default_rng(7)
    lines = ["image,identity,gender"]
    folder.mkdir(parents=True)
    for person in range(people):
        value = gender(person) if gender else ("male", "female")[person % 2]
        for image in range(images):
            name = f"{person:03d}-{image}.png"
            pixels = stream.integers(0, 256, (20, 18), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name)
            lines.append(f"{name},person-{person:03d},{value}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def make_faces(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a folder of `people` identities of alternating gender.

    Each identity has `images` PNG files of 18x20 pixels.
    """
    return lambda name="faces", **settings: _write(tmp_path / name, **settings)
