"""Tiny trees in the layouts that large face collections come in, with their annotations in every variant."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from aia_models.data.sources.celeba import ATTRIBUTES

MALE = ATTRIBUTES.index("Male")


def write_jpeg(path: Path, seed: int = 0) -> None:
    """Write a JPEG file of 22x18 pixels of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (22, 18), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "JPEG")


@dataclass
class CelebA:
    """CelebA's layout with two images of each of `people` identities; every other person is male.

    Image i shows person i // 2.
    """

    root: Path
    people: int = 20
    line_end: str = "\n"
    header: bool = True
    suffix: str = ".txt"
    trailing: str = ""
    with_partition: bool = True
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = [f"{number + 1:06d}.jpg" for number in range(2 * self.people)]

    def write(self) -> Path:
        for number, name in enumerate(self.names):
            write_jpeg(self.root / "img_align_celeba" / name, number)
        self.write_attributes()
        self.write_identities()
        if self.with_partition:
            self.write_partition()
        return self.root

    def path(self, stem: str) -> Path:
        return self.root / f"{stem}{self.suffix}"

    def values(self, number: int) -> list[str]:
        signs = [(number // 2 >> bit % 5) % 2 for bit in range(len(ATTRIBUTES))]
        signs[MALE] = number // 2 % 2
        return ["1" if sign else "-1" for sign in signs]

    def write_attributes(self) -> None:
        rows = [[name, *self.values(number)] for number, name in enumerate(self.names)]
        if self.suffix == ".csv":
            self._write("list_attr_celeba", [["image_id", *ATTRIBUTES]], rows)
            return
        # The published file begins with its number of images, does not name their column and aligns signs.
        padded = [[name, *(value.rjust(2) for value in values)] for name, *values in rows]
        self._write("list_attr_celeba", [[str(len(rows))], [*ATTRIBUTES[:-1], ATTRIBUTES[-1] + " "]], padded)

    def write_identities(self, names: Sequence[str] | None = None) -> None:
        rows = [[name, str(2880 + (int(name[:6]) - 1) // 2)] for name in names or self.names]
        self._write("identity_CelebA", [["image", "identity"]], rows)

    def write_partition(self) -> None:
        rows = [[name, str(number % 3)] for number, name in enumerate(self.names)]
        self._write("list_eval_partition", [["image_id", "partition"]], rows)

    def _write(self, stem: str, header: list[list[str]], rows: list[list[str]]) -> None:
        separator = "," if self.suffix == ".csv" else " "
        lines = [separator.join(cells) + self.trailing for cells in [*(header if self.header else []), *rows]]
        self.path(stem).write_bytes("".join(line + self.line_end for line in lines).encode())


def write_vggface(root: Path, people: int = 20, nested: bool = False) -> Path:
    """Write two images of each of `people` identities into folders from n000001 on, without a CSV file."""
    for person in range(people):
        part = ("train", "test")[person % 4 == 0] if nested else ""
        for image in range(2):
            path = root / part / person_name(person) / f"{image:04d}_01.jpg"
            write_jpeg(path, 2 * person + image)
    return root


def person_name(person: int) -> str:
    return f"n{person + 1:06d}"


def gender(person: int) -> str:
    return "fm"[person % 2]
