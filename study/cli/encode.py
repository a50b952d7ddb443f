"""`encode`: images to the representations that a checkpoint releases of them."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from aia_models.data.prepared.blocks import prepare_images
from aia_models.data.sources.image_files import ImageFiles, is_image
from aia_models.errors import CheckpointError
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer
from analysis.tables.location import Location, local_copy
from study.console import stderr, stdout
from study.errors import StudyError

BATCH_IMAGES = 1024
DECODED_IMAGES = 16  # at a time: photographs take megabytes each


def encode(folder: Location, images: Path, output: Path) -> None:
    """Writes a Parquet file at `output`, which appears whole: a row per image below `images` with its path relative to
    them, `image`, and its released representation, `g`, a list of float32 of one length.

    Images are prepared as those that the checkpoint in `folder` was trained on. Those that cannot be read are left out
    and told. CheckpointError for a folder that holds none; StudyError where no image can be read, or where something
    lies at `output`.
    """
    if output.exists():
        raise StudyError(f"{output} exists already: choose another -o")
    anonymizer = load_anonymizer(folder, "cuda" if torch.cuda.is_available() else "cpu")
    folder_of_images, names = (
        (images.parent, [images.name]) if images.is_file() else (images, _images_below(images))
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = output.with_name(f".{output.name}.tmp")
    try:
        written = 0
        schema = pa.schema(
            [("image", pa.string()), ("g", pa.list_(pa.float32(), math.prod(anonymizer.encoder.map_shape)))]
        )
        with pq.ParquetWriter(aside, schema, compression="zstd") as writer:
            for table in _tables(anonymizer, str(folder_of_images), names, schema):
                writer.write_table(table)
                written += len(table)
        if not written:
            raise StudyError(f"{images}: none of {len(names)} images can be read")
        os.replace(aside, output)
    finally:
        aside.unlink(missing_ok=True)
    stdout.print(f"{output}: {written} of {len(names)} images encoded")


def _images_below(images: Path) -> list[str]:
    if not images.is_dir():
        raise StudyError(f"{images} is no folder: give one with PNG or JPEG images, or one such image")
    found = (path.relative_to(images).as_posix() for path in images.rglob("*") if is_image(path.name))
    if not (names := sorted(found)):
        raise StudyError(f"{images} holds no image: its files must end in .png, .jpg or .jpeg")
    return names


def _tables(anonymizer: Anonymizer, images: str, names: list[str], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of some images at a time."""
    for start in range(0, len(names), BATCH_IMAGES):
        batch = names[start : start + BATCH_IMAGES]
        parts = [
            _prepared(images, batch[first : first + DECODED_IMAGES], anonymizer.image_side)
            for first in range(0, len(batch), DECODED_IMAGES)
        ]
        read = [name for part, _ in parts for name in part]
        if read:
            g = anonymizer.encode(torch.cat([pixels for _, pixels in parts]).numpy()).cpu().numpy()
            values = pa.FixedSizeListArray.from_arrays(pa.array(g.reshape(-1)), g.shape[1])
            yield pa.table([pa.array(read), values], schema=schema)


def _prepared(images: str, names: list[str], side: int) -> tuple[list[str], Tensor]:
    """Those that can be read, and their pixels."""
    read: dict[str, Tensor] = {}
    for name, image in zip(names, ImageFiles(images, names), strict=True):
        if isinstance(image, Tensor):
            read[name] = image
        else:
            stderr.print(f"left out: {image.path} {image.why}")
    return [*read], prepare_images([*read.values()], side)


def load_anonymizer(folder: Location, device: str = "cpu") -> Anonymizer:
    """The encoder of the checkpoint in `folder` on `device`, ready to encode.

    CheckpointError where it holds none, or a damaged one; OSError where object storage does not answer.
    """
    with local_copy(folder) as there:
        try:
            return checkpoint.load(there, device)
        except CheckpointError as error:
            raise CheckpointError(str(error).replace(str(there), str(folder))) from error
