"""The command `encode` writes the representations that a checkpoint releases for images or templates."""

import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from aia_models.data.prepared.blocks import prepare_images
from aia_models.data.sources.image_files import ImageFiles, is_image
from aia_models.data.sources.readers import READERS
from aia_models.release.anonymizer import Anonymizer
from analysis.atomic_write import atomic_write
from analysis.tables.location import Location
from study.cli.encode_dataset import LabelledFaces
from study.cli.load_anonymizer import load_anonymizer, read_about
from study.console import stderr, stdout
from study.errors import StudyError

BATCH_IMAGES = 1024
DECODED_IMAGES = 16  # at a time, because a photograph takes megabytes


def encode(folder: Location, faces: str, output: Path) -> None:
    """Write a Parquet file at `output`, atomically, with a row for each image or template of `faces`.

    `faces` is a folder, a single image or a labelled data set (`KIND:PATH`). The column `image` is the path of an
    image, and `g` is the released representation, a list of float32 of fixed length. Of a data set, `identity`, the
    attributes and `split` stand beside it. Images are prepared like those on which the checkpoint in `folder` was
    trained. Images that cannot be read are left out, with a line on stderr. Raises CheckpointError for a folder without
    a checkpoint, DataError for a data set that cannot be used, and StudyError if no image can be read or if `output`
    exists.
    """
    if output.exists():
        raise StudyError(f"{output} exists already: choose another -o")
    anonymizer = load_anonymizer(folder, "cuda" if torch.cuda.is_available() else "cpu")
    if faces.partition(":")[0] in READERS and not Path(faces).exists():
        labelled = LabelledFaces(faces, anonymizer, read_about(folder))
        count, schema, tables = len(labelled), labelled.schema, labelled.tables()
    else:
        images = Path(faces)
        root, names = (
            (images.parent, [images.name]) if images.is_file() else (images, _image_names_below(images))
        )
        if len(anonymizer.input_shape) == 1:
            raise StudyError(f"{images} holds images: this checkpoint takes templates, give templates:FILE")
        representation = pa.list_(pa.float32(), math.prod(anonymizer.encoder.map_shape))
        schema = pa.schema([("image", pa.string()), ("g", representation)])
        count, tables = len(names), _encoded_batches(anonymizer, str(root), names, schema)
    encoded = 0
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(output) as path:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for table in tables:
                writer.write_table(table)
                encoded += len(table)
        if not encoded:
            raise StudyError(f"{faces}: none of {count} images can be read")
    form = "templates" if len(anonymizer.input_shape) == 1 else "images"
    stdout.print(f"{output}: {encoded} of {count} {form} encoded")


def _image_names_below(images: Path) -> list[str]:
    if not images.is_dir():
        raise StudyError(f"{images} is no folder: give one with PNG or JPEG images, or one such image")
    names = sorted(path.relative_to(images).as_posix() for path in images.rglob("*") if is_image(path.name))
    if not names:
        raise StudyError(f"{images} holds no image: its files must end in .png, .jpg or .jpeg")
    return names


def _encoded_batches(
    anonymizer: Anonymizer, root: str, names: list[str], schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield the rows of the images that can be read, one table for each batch of `names`."""
    for start in range(0, len(names), BATCH_IMAGES):
        batch = names[start : start + BATCH_IMAGES]
        parts = [
            _read_and_prepare(root, batch[first : first + DECODED_IMAGES], anonymizer.input_shape[-1])
            for first in range(0, len(batch), DECODED_IMAGES)
        ]
        readable = [name for part, _ in parts for name in part]
        if readable:
            g = anonymizer.encode(torch.cat([pixels for _, pixels in parts]).numpy()).cpu().numpy()
            values = pa.FixedSizeListArray.from_arrays(pa.array(g.reshape(-1)), g.shape[1])
            yield pa.table([pa.array(readable), values], schema=schema)


def _read_and_prepare(root: str, names: list[str], side: int) -> tuple[list[str], Tensor]:
    """Return the names of the images that can be read, and their prepared pixels `[n, 1, side, side]`."""
    images: dict[str, Tensor] = {}
    for name, image in zip(names, ImageFiles(root, names), strict=True):
        if isinstance(image, Tensor):
            images[name] = image
        else:
            stderr.print(f"left out: {image.path} {image.why}")
    return [*images], prepare_images([*images.values()], side)
