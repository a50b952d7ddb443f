"""The pictures that `aia-study plot` and a report choose from."""

from analysis.pictures import PICTURES
from study.console import PictureKind


def test_the_command_line_offers_every_picture() -> None:
    assert {kind.value for kind in PictureKind} == set(PICTURES)
