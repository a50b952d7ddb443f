"""Makes the images inside a report page: the pictures of the study and the reconstructions of its designs.

Both are PNG images as `data:` URIs, so that the page needs no other files.
"""

import base64
import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import polars as pl
from PIL import Image

from analysis.errors import AnalysisError
from analysis.plots.catalogue import Picture
from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC
from analysis.tables.location import Location, children
from analysis.tables.reader import StudyTables
from analysis.tables.schema import EXAMPLES

DPI = 220
# Of all reconstructions in a page, before base64 makes them a third larger.
MAX_RECONSTRUCTION_BYTES = 800_000


@dataclass(frozen=True)
class ReportPicture:
    """One picture of a study: `uri` is its image, or None if there is nothing to draw, with the `reason` why."""

    title: str
    uri: str | None
    reason: str | None = None


def report_pictures(study: StudyTables, pictures: Mapping[str, Picture]) -> list[ReportPicture]:
    """Return the pictures of a study in their order; each has the size that its theme sets, at 220 dpi."""
    return [_report_picture(study, picture) for picture in pictures.values()]


def reconstruction_images(study: Location, rows: pl.DataFrame) -> Mapping[str, str]:
    """Return reconstructions by `trial_id`: faces and what the decoder makes of their released representations.

    `rows` are rows of `trials` with a checkpoint. Images are taken, up to MAX_RECONSTRUCTION_BYTES in all, in the
    order of how much matching AUC a row lacks to the best row with at most its attacker AUC: the front comes first.
    Rows whose checkpoint holds no reconstructions, or was deleted meanwhile, are left out.
    """
    lacking = rows.sort(ATTACKER_AUC, -pl.col(MATCHING_AUC)).with_columns(
        lacking=pl.col(MATCHING_AUC).cum_max() - pl.col(MATCHING_AUC)
    )
    ordered = lacking.sort("lacking", ATTACKER_AUC, "trial_id").select("trial_id", "checkpoint")
    existing = set(children(study / "checkpoints"))
    images: dict[str, str] = {}
    bytes_left = MAX_RECONSTRUCTION_BYTES
    for trial_id, checkpoint in ordered.iter_rows():
        if checkpoint.rpartition("/")[2] not in existing:
            continue
        # A running search deletes a checkpoint when better trials replace it, possibly since the listing.
        with suppress(FileNotFoundError):
            image = (study / checkpoint / EXAMPLES).read_bytes()
            if len(image) <= bytes_left:
                images[trial_id] = _png_uri(image)
                bytes_left -= len(image)
    return images


def _report_picture(study: StudyTables, picture: Picture) -> ReportPicture:
    image = io.BytesIO()
    try:
        picture.draw(study).save(image, format="png", dpi=DPI, verbose=False)
    except AnalysisError as error:
        return ReportPicture(picture.title, None, str(error))
    return ReportPicture(picture.title, _png_uri(_with_palette(image)))


def _with_palette(image: io.BytesIO) -> bytes:
    """Return the PNG image with a palette of 256 colours, which suffices for a plot and takes a third of the bytes."""
    smaller = io.BytesIO()
    Image.open(image).convert("RGB").quantize(dither=Image.Dither.NONE).save(smaller, "png", optimize=True)
    return smaller.getvalue()


def _png_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
