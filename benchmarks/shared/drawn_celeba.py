"""Writes any number of drawn faces in CelebA's layout and image size, for `prepare_images.py`."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from aia_models.data.sources.celeba import ATTRIBUTES
from aia_models.data.sources.drawn.synthetic import IDENTITIES, IMAGES_PER_IDENTITY, draw_images, is_male

WIDTH, HEIGHT = 178, 218
QUALITY = 85  # about the published files' size: 7 kB on average
IMAGES_PER_PERSON = 20


def drawn_celeba(folder: Path, images: int) -> Path:
    """Writes `images` JPEG files and their annotations into `folder` and returns it.

    There are 3,000 different pictures, coloured at random; further files are copies of these.
    """
    pictures = [_jpeg(number) for number in range(min(images, IDENTITIES * IMAGES_PER_IDENTITY))]
    (folder / "img_align_celeba").mkdir(parents=True)
    males = [is_male(person) for person in range(IDENTITIES)]
    names = [f"{number + 1:06d}.jpg" for number in range(images)]
    for number, name in enumerate(names):
        (folder / "img_align_celeba" / name).write_bytes(pictures[number % len(pictures)])
    with (folder / "list_attr_celeba.txt").open("w", newline="\r\n") as file:
        file.write(f"{images}\n{' '.join(ATTRIBUTES)} \n")
        for number, name in enumerate(names):
            male = males[number // IMAGES_PER_PERSON % IDENTITIES]
            signs = [" 1" if attribute == "Male" and male else "-1" for attribute in ATTRIBUTES]
            file.write(f"{name} {' '.join(signs)}\n")
    with (folder / "identity_CelebA.txt").open("w", newline="\r\n") as file:
        file.writelines(f"{name} {number // IMAGES_PER_PERSON + 1}\n" for number, name in enumerate(names))
    return folder


def _jpeg(number: int) -> bytes:
    grey = Image.fromarray(draw_images(range(number, number + 1))[0]).resize((WIDTH, WIDTH))
    face = Image.new("L", (WIDTH, HEIGHT), 128)
    face.paste(grey, (0, (HEIGHT - WIDTH) // 2))
    stream = np.random.default_rng(number)
    tint = stream.uniform(0.6, 1.0, 3)
    noisy = np.asarray(face)[..., None] * tint + stream.normal(0, 3, (HEIGHT, WIDTH, 1))
    encoded = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue()
