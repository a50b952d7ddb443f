"""`export`: a checkpoint's encoder as one file that other runtimes take."""

import os
from pathlib import Path

from aia_models.release.export import export_onnx, export_torch
from analysis.tables.location import Location
from study.cli.encode import load_anonymizer
from study.console import ModelFormat, stdout
from study.errors import StudyError

WRITERS = {ModelFormat.ONNX: export_onnx, ModelFormat.TORCH: export_torch}


def export(folder: Location, form: ModelFormat, output: Path) -> None:
    """Writes the encoder of the checkpoint in `folder` to `output`, which appears whole, and says what it takes.

    CheckpointError for a folder that holds none; StudyError where something lies at `output`.
    """
    if output.exists():
        raise StudyError(f"{output} exists already: choose another -o")
    anonymizer = load_anonymizer(folder)
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = output.with_name(f".{output.stem}.tmp{output.suffix}")
    try:
        WRITERS[form](anonymizer, aside)
        os.replace(aside, output)
    finally:
        aside.unlink(missing_ok=True)
    side, kind = anonymizer.image_side, anonymizer.config.channel.kind
    stdout.print(f"{output}: images uint8 [n, 1, {side}, {side}] to g")
    if kind in ("noise", "random_replacement"):
        stdout.print(
            f"its channel ({kind}) takes what it draws as the input `drawn`: draw it anew for each image and throw it"
            " away, whoever knows it can take it off again"
        )
