"""Small faces in a folder, and settings of a study that takes seconds on them."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

IDENTITIES, IMAGES, SIDE = 60, 4, 16
GENDERS = ["male" if person % 3 == 0 else "female" for person in range(IDENTITIES)]
SETTINGS = [
    "image_side=16",
    "training.stage1_epochs=1",
    "training.heads_epochs=1",
    "training.joint_epochs=1",
    "fixed.learning_rate=0.002",
    "baselines=['original']",
]


def write_faces(folder: Path, genders: list[str], images_per_identity: int = IMAGES) -> Path:
    """Write a folder data set: noisy copies of an image per person, with a brighter upper half for men."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "identity", "gender"])
        for person, gender in enumerate(genders):
            face = rng.uniform(60, 160, (1, SIDE, SIDE))
            face[:, : SIDE // 2] += 60 if gender == "male" else 0
            for number in range(images_per_identity):
                noisy = np.clip(face + rng.normal(0, 20, face.shape), 0, 255).astype(np.uint8)
                name = f"images/{person:03d}-{number}.png"
                Image.fromarray(noisy[0]).save(folder / name)
                writer.writerow([name, f"person-{person:03d}", gender])
    return folder


def as_options(settings: list[str]) -> list[str]:
    """Return the settings as options `--set` of the command line."""
    return [part for setting in settings for part in ("--set", setting)]
