"""Writes the drawn faces as a user would provide faces: a folder of PNG files with their labels.csv."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from aia_models.data.prepared.prepare import open_prepared, prepare


def drawn_folder(folder: Path) -> Path:
    """Writes them into `folder`, 64x64 pixels each, and returns it."""
    prepared = prepare(
        "synthetic", image_side=64, attributes=("gender",), positive=None, cache=folder / "cache"
    )
    faces = open_prepared(prepared)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "identity", "gender"])
        for row, (image, person) in enumerate(zip(np.asarray(faces.inputs), faces.identity, strict=True)):
            Image.fromarray(image[0]).save(folder / f"{row:05d}.png")
            gender = "male" if faces.attributes["gender"][row] == 1 else "female"
            writer.writerow([f"{row:05d}.png", faces.identity_names[person], gender])
    return folder
