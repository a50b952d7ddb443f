"""Blocks of images: the unit of work of the preparation, each decoded and resized into a file of its own."""

import json
import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor
from torch.nn import functional

from aia_models.data.sources.source import SourceImages, Unreadable

BLOCK_IMAGES = 256
# As many lie decoded in memory at a time.
_CHUNK_IMAGES = 16
# The resizing kernel works on up to four channels at once.
_CHANNELS = 4


@dataclass(frozen=True)
class BlockReport:
    """A finished block: how many images it stands for, how many of them were decoded just now, which are bad.

    `unreadable` holds the number in the data set of each image that could not be decoded.
    """

    images: int
    decoded: int
    unreadable: tuple[tuple[int, Unreadable], ...]


@dataclass(frozen=True)
class Block:
    """Images from number `start` on, and the file that shall hold them, `side` pixels high and wide."""

    start: int
    count: int
    images: SourceImages
    side: int
    path: str

    def run(self) -> BlockReport:
        """Makes the file unless it is whole already; it appears in one step. OSError where it cannot."""
        unreadable = self._recorded()
        if unreadable is not None:
            return BlockReport(self.count, 0, unreadable)
        pixels, unreadable = self._prepared()
        numbered = [[number, bad.path, bad.why] for number, bad in unreadable]
        handle, aside = tempfile.mkstemp(dir=Path(self.path).parent)
        os.close(handle)
        try:
            save_file({"images": pixels}, aside, metadata={"unreadable": json.dumps(numbered)})
            os.replace(aside, self.path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        return BlockReport(self.count, self.count, unreadable)

    def pixels(self) -> UInt8[np.ndarray, "face 1 side side"]:
        """What the file holds: the images that could be decoded. OSError or SafetensorError where it is not whole."""
        with safe_open(self.path, framework="numpy") as file:
            return file.get_tensor("images")

    def _recorded(self) -> tuple[tuple[int, Unreadable], ...] | None:
        try:
            with safe_open(self.path, framework="numpy") as file:
                numbered = json.loads(file.metadata()["unreadable"])
        except (FileNotFoundError, SafetensorError):
            return None
        return tuple((number, Unreadable(path, why)) for number, path, why in numbered)

    def _prepared(self) -> tuple[np.ndarray, tuple[tuple[int, Unreadable], ...]]:
        decoded = enumerate(self.images, self.start)
        unreadable: list[tuple[int, Unreadable]] = []
        parts = [np.empty((0, 1, self.side, self.side), np.uint8)]
        while chunk := list(islice(decoded, _CHUNK_IMAGES)):
            unreadable += [(number, image) for number, image in chunk if isinstance(image, Unreadable)]
            readable = [image for _, image in chunk if isinstance(image, Tensor)]
            parts.append(prepare_images(readable, self.side).numpy())
        return np.concatenate(parts), tuple(unreadable)


Execute = Callable[[Sequence[Block]], Generator[BlockReport, None, None]]


def cut_into_blocks(images: SourceImages, count: int, side: int, folder: Path) -> list[Block]:
    """Blocks of 256 of `count` images, whose files are to lie in `folder`."""
    blocks = []
    for start in range(0, count, BLOCK_IMAGES):
        stop = min(start + BLOCK_IMAGES, count)
        path = folder / f"{start:09d}-{stop:09d}.safetensors"
        blocks.append(Block(start, stop - start, images[start:stop], side, str(path)))
    return blocks


def in_threads(blocks: Sequence[Block]) -> Generator[BlockReport, None, None]:
    """Runs blocks in this process, one thread per core: decoding and resizing leave Python's lock alone."""
    # The threads share the cores already: each resizing on all of them would only get in the others' way.
    threads_before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield from pool.map(Block.run, blocks)
    finally:
        torch.set_num_threads(threads_before)


def prepare_images(images: Sequence[Tensor], side: int) -> Tensor:
    """Grey images uint8 `[1, h, w]`, each its largest centred square resized, as uint8 `[N, 1, side, side]`.

    Images of the same size that follow each other are resized as channels of one, which takes a quarter of the
    time and gives the same pixels.
    """
    squares = [_largest_centred_square(image) for image in images]
    resized = [torch.empty(0, 1, side, side, dtype=torch.uint8)]
    for _, group in groupby(squares, key=lambda square: square.shape):
        alike = torch.cat([*group])
        whole = len(alike) - len(alike) % _CHANNELS
        for channels in (alike[:whole].unflatten(0, (-1, _CHANNELS)), alike[whole:].unsqueeze(0)):
            if channels.numel():
                small = functional.interpolate(channels, (side, side), mode="bilinear", antialias=True)
                resized.append(small.flatten(0, 1).unsqueeze(1))
    return torch.cat(resized)


def _largest_centred_square(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = round((height - side) / 2), round((width - side) / 2)
    return image[:, top : top + side, left : left + side]
