"""Draws Figure 3 of the paper: faces, their reconstructions, and Grad-CAM maps of an image classifier on both."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotnine as p9
import polars as pl
from matplotlib import colormaps

COLUMNS = ("original", "Grad-CAM, before", "reconstruction", "Grad-CAM, after")
HEAT = colormaps["inferno"]  # perceptually uniform, readable by the colour-blind
MIN_OPACITY, MAX_OPACITY = 0.15, 0.65  # of the map over the grey image
CELL_INCHES = 1.05
CAPTION_CHARACTERS = 96


@dataclass(frozen=True)
class ShownFace:
    """One face before and after anonymization.

    Images are float `[side, side]` in [0, 1], Grad-CAM maps float `[side, side]` of at least 0. `label` states the
    face's true class and the class that the classifier predicts from the original; maps and probabilities are those
    of the predicted class.
    """

    label: str
    original: np.ndarray
    reconstruction: np.ndarray
    map_before: np.ndarray
    map_after: np.ndarray
    probability_before: float
    probability_after: float


def plot_faces(faces: Sequence[ShownFace], caption: str) -> p9.ggplot:
    """Return a grid with one row per face and a column for each of COLUMNS, under which `caption` is printed.

    Each map is scaled by its own largest value, as is usual for Grad-CAM (Selvaraju et al. 2017).
    """
    titles = {str(place): _row_title(face) for place, face in enumerate(faces)}
    cells = pl.concat([_cells(face, row) for row, face in zip(titles, faces, strict=True)])
    cells = cells.with_columns(
        pl.col("row").cast(pl.Enum(list(titles))), pl.col("column").cast(pl.Enum(COLUMNS))
    )
    by_title: Any = p9.labeller(rows=titles.__getitem__)  # plotnine's type annotation accepts only names
    return (
        p9.ggplot(cells, p9.aes("x", "y", fill="colour"))
        + p9.geom_raster()
        + p9.facet_grid("row", "column", labeller=by_title)
        + p9.scale_fill_identity()
        + p9.coord_fixed(expand=False)
        + p9.labs(x="", y="", caption=textwrap.fill(caption, CAPTION_CHARACTERS))
        + p9.theme_void(base_size=8)
        + p9.theme(
            figure_size=(len(COLUMNS) * CELL_INCHES + 1.3, len(faces) * CELL_INCHES + 0.9),
            strip_text_x=p9.element_text(size=7.5, margin={"b": 3, "t": 3}),
            strip_text_y=p9.element_text(size=6.5, rotation=0, ha="left", margin={"l": 4}),
            panel_spacing=0.012,
            plot_caption=p9.element_text(size=6, color="#444444", ha="left", margin={"t": 5}),
            plot_margin=0.01,
        )
    )


def overlaid(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return the grey `image` `[side, side]` with the map `heat` over it, as RGB `[side, side, 3]` in [0, 1].

    A map of zeros has the colour of the smallest value everywhere.
    """
    top = heat.max()
    share = heat / top if top > 0 else np.zeros_like(heat)
    opacity = (MIN_OPACITY + (MAX_OPACITY - MIN_OPACITY) * share)[..., None]
    return (1 - opacity) * image[..., None] + opacity * HEAT(share)[..., :3]


def _row_title(face: ShownFace) -> str:
    return f"{face.label}\nbefore {face.probability_before:.2f}\nafter {face.probability_after:.2f}"


def _cells(face: ShownFace, row: str) -> pl.DataFrame:
    pictures = (
        np.repeat(face.original[..., None], 3, axis=2),
        overlaid(face.original, face.map_before),
        np.repeat(face.reconstruction[..., None], 3, axis=2),
        overlaid(face.reconstruction, face.map_after),
    )
    return pl.concat(
        [_pixels(picture, row, column) for picture, column in zip(pictures, COLUMNS, strict=True)]
    )


def _pixels(picture: np.ndarray, row: str, column: str) -> pl.DataFrame:
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    whole = np.round(picture.reshape(-1, 3) * 255).astype(int)
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in whole]
    return pl.DataFrame(
        {
            "row": row,
            "column": column,
            "x": columns.ravel(),
            "y": height - 1 - rows.ravel(),
            "colour": colours,
        }
    )
