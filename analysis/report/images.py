"""A study's pictures as they stand in its report: small PNG images inside the page."""

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


@dataclass(frozen=True)
class ReportPicture:
    """One picture of a study: `uri` is its PNG image, or None with the `reason` why there is none."""

    title: str
    uri: str | None
    reason: str | None = None


def report_pictures(study: StudyTables, pictures: Mapping[str, Picture]) -> list[ReportPicture]:
    """Return the pictures of a study in their order, each in the size that its theme says."""
    return [_drawn(study, picture) for picture in pictures.values()]


def _drawn(study: StudyTables, picture: Picture) -> ReportPicture:
    image = io.BytesIO()
    try:
        picture.draw(study).save(image, format="png", dpi=DPI, verbose=False)
    except AnalysisError as error:
        return ReportPicture(picture.title, None, str(error))
    return ReportPicture(picture.title, png_uri(_with_palette(image)))


def _with_palette(image: io.BytesIO) -> bytes:
    """The PNG image with 256 colours, which is enough for a picture and a third of its size."""
    smaller = io.BytesIO()
    Image.open(image).convert("RGB").quantize(dither=Image.Dither.NONE).save(smaller, "png", optimize=True)
    return smaller.getvalue()


MAX_RECONSTRUCTION_BYTES = 800_000  # of images in a page, before base64 makes them a third larger


def reconstruction_images(study: Location, kept: pl.DataFrame) -> Mapping[str, str]:
    """Return per `trial_id` a data URI of its reconstructions, of those rows of `kept` whose checkpoint holds them.

    Rows come in the order of the matching AUC that they lack to the best at their attacker AUC: the front first.
    """
    lacking = kept.sort(ATTACKER_AUC, -pl.col(MATCHING_AUC)).with_columns(
        lacking=pl.col(MATCHING_AUC).cum_max() - pl.col(MATCHING_AUC)
    )
    found: dict[str, str] = {}
    left, there = MAX_RECONSTRUCTION_BYTES, set(children(study / "checkpoints"))
    for trial_id, checkpoint in (
        lacking.sort("lacking", ATTACKER_AUC, "trial_id").select("trial_id", "checkpoint").iter_rows()
    ):
        if checkpoint.rpartition("/")[2] not in there:
            continue
        with suppress(FileNotFoundError):  # of an earlier release, or better trials took its place in between
            image = (study / checkpoint / EXAMPLES).read_bytes()
            if len(image) <= left:
                found[trial_id] = png_uri(image)
                left -= len(image)
    return found


def png_uri(png: bytes) -> str:
    """The image as a `data:` URI."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
