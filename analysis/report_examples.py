"""Reconstructions that checkpoints keep, as data URIs: of the front first, as many as a page can carry."""

import base64
from collections.abc import Mapping
from contextlib import suppress

import polars as pl

from analysis.frontier_points import X, Y
from analysis.locations import Location, children
from study.records import EXAMPLES

MOST_BYTES = 800_000  # of images in a page, before base64 makes them a third larger


def examples(study: Location, kept: pl.DataFrame) -> Mapping[str, str]:
    """Return per `trial_id` a data URI of its reconstructions, of those rows of `kept` whose checkpoint holds them.

    Rows come in the order of the matching AUC that they lack to the best at their attacker AUC: the front first.
    """
    lacking = kept.sort(X, -pl.col(Y)).with_columns(lacking=pl.col(Y).cum_max() - pl.col(Y))
    found: dict[str, str] = {}
    left, there = MOST_BYTES, set(children(study / "checkpoints"))
    for trial_id, checkpoint in (
        lacking.sort("lacking", X, "trial_id").select("trial_id", "checkpoint").iter_rows()
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
