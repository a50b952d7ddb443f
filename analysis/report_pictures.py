"""A study's pictures as they stand in its report: small PNG images inside the page."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from analysis.errors import AnalysisError
from analysis.pictures import Picture
from analysis.report_examples import png_uri
from analysis.tables import StudyTables

DPI = 220


@dataclass(frozen=True)
class Drawn:
    """One picture of a study: `uri` is its PNG image, or None with the `reason` why there is none."""

    title: str
    uri: str | None
    reason: str | None = None


def drawn(study: StudyTables, pictures: Mapping[str, Picture]) -> list[Drawn]:
    """Return the pictures of a study in their order, each in the size that its theme says."""
    return [_drawn(study, picture) for picture in pictures.values()]


def _drawn(study: StudyTables, picture: Picture) -> Drawn:
    image = io.BytesIO()
    try:
        picture.draw(study).save(image, format="png", dpi=DPI, verbose=False)
    except AnalysisError as error:
        return Drawn(picture.title, None, str(error))
    return Drawn(picture.title, png_uri(_with_palette(image)))


def _with_palette(image: io.BytesIO) -> bytes:
    """The PNG image with 256 colours, which is enough for a picture and a third of its size."""
    smaller = io.BytesIO()
    Image.open(image).convert("RGB").quantize(dither=Image.Dither.NONE).save(smaller, "png", optimize=True)
    return smaller.getvalue()
