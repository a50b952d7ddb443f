"""The command `embed` writes the templates that a face network makes of a data set's images."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from safetensors import SafetensorError

from aia_models.data.sources.image_files import ImageFiles
from aia_models.data.sources.readers import read_source
from aia_models.data.sources.source import FaceSource, key_over
from aia_models.embedding.face_network import FaceNetwork
from aia_models.embedding.open_network import open_network
from aia_models.embedding.template_blocks import TemplateBlock, cut_into_template_blocks
from aia_models.errors import DataError
from analysis.atomic_write import atomic_write
from study.console import INTERRUPTED, print_error, stderr, stdout
from study.errors import StudyError
from study.image_progress import ImageProgress

EMBEDDING_VERSION = 1  # of what stands in unfinished blocks


def embed(dataset: str, model: str, output: Path, side: int | None, mean: str | None, sd: str | None) -> None:
    """Write a Parquet file at `output`, atomically, with a row for each image of `dataset` that can be read.

    `image` is the file's name, or `row` the number of a drawn face; `identity` and the attributes are texts, and
    `template` is what the network `model` makes of the image, a list of float32 of fixed length. Finished blocks of an
    interrupted run are reused. Images that cannot be read are left out, with a line on stderr. Raises StudyError if
    `output` exists or if no image can be read, EmbeddingError for a network and DataError for a data set that cannot be
    used.
    """
    if output.exists():
        raise StudyError(f"{output} exists already: choose another -o")
    if output.suffix != ".parquet":
        raise StudyError(f"{output} does not end in .parquet, as templates:FILE needs: choose another -o")
    kind, source = read_source(dataset)
    network = open_network(model, side=side, mean=mean, sd=sd)
    schema = _schema(source, network)
    for remark in source.remarks:
        stderr.print(f"{dataset}: {remark}")
    key = key_over([EMBEDDING_VERSION, kind, source.key, network.key])
    unfinished = output.with_name(f".{output.name}.{key[:16]}.blocks").absolute()
    blocks = cut_into_template_blocks(source, unfinished)
    unfinished.mkdir(parents=True, exist_ok=True)
    with _saying_how_to_continue():
        try:
            left_out = _run(blocks, network, len(source))
        except DataError:
            # Corrected images or another network give the folder another name, so these blocks would never be reused.
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        embedded = len(source) - left_out
        if embedded:
            _write(output, schema, _tables(blocks, source, schema))
    shutil.rmtree(unfinished, ignore_errors=True)
    if not embedded:
        raise StudyError(f"{dataset}: none of {len(source)} images can be read")
    count = f"{embedded} of {len(source)} images embedded, templates of {network.values} values"
    stdout.print(f"{output}: {count}{f', {left_out} left out' if left_out else ''}")


def _schema(source: FaceSource, network: FaceNetwork) -> pa.Schema:
    """Return the columns; raises DataError for a source with an attribute of the same name as another column."""
    drawn = not isinstance(source.images, ImageFiles)
    first = pa.field("row", pa.int64()) if drawn else pa.field("image", pa.string())
    for name in (first.name, "identity", "template"):
        if name in source.columns:
            raise DataError(
                f"{source.title} has an attribute '{name}', a column that embed writes: rename it"
            )
    template = pa.field("template", pa.list_(pa.float32(), network.values))
    texts = [pa.field(name, pa.string()) for name in ("identity", *source.columns)]
    return pa.schema([first, *texts, template])


def _run(blocks: Sequence[TemplateBlock], network: FaceNetwork, images: int) -> int:
    """Run the blocks with progress and name unreadable images; return the number of these."""
    left_out = 0
    with ImageProgress(stderr, "embedding", images) as progress:
        for block in blocks:
            report = block.run(network)
            progress.add(report)
            for _, image in report.unreadable:
                stderr.print(f"left out: {image.path} {image.why}")
            left_out += len(report.unreadable)
    return left_out


def _write(output: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
    with atomic_write(output) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)


def _tables(blocks: Sequence[TemplateBlock], source: FaceSource, schema: pa.Schema) -> Iterator[pa.Table]:
    files = source.images
    for block in blocks:
        try:
            found, templates = block.read()
        except (OSError, SafetensorError) as error:
            raise StudyError(f"{block.path} cannot be read ({error}): run the same command again") from error
        rows = found.tolist()
        names = rows if not isinstance(files, ImageFiles) else [files.names[row] for row in rows]
        columns = [
            pa.array(names),
            pa.array([source.identities[row] for row in rows], pa.string()),
            *(
                pa.array([column[row] if column[row].strip() else None for row in rows], pa.string())
                for column in source.columns.values()
            ),
            pa.FixedSizeListArray.from_arrays(pa.array(templates.reshape(-1)), templates.shape[1]),
        ]
        yield pa.table(columns, schema=schema)


@contextmanager
def _saying_how_to_continue() -> Iterator[None]:
    """Print one line at an interrupt and exit with its status."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        print_error("interrupted: finished blocks are kept, the same command continues from there")
        raise typer.Exit(INTERRUPTED) from interrupt
