"""The command `export` writes the encoder of a checkpoint as one file for other runtimes."""

from pathlib import Path

from aia_models.release.export import export_onnx, export_torch, input_name
from analysis.atomic_write import atomic_write
from analysis.tables.location import Location
from study.cli.load_anonymizer import load_anonymizer
from study.console import ModelFormat, stdout
from study.errors import StudyError

WRITERS = {ModelFormat.ONNX: export_onnx, ModelFormat.TORCH: export_torch}


def export(folder: Location, form: ModelFormat, output: Path) -> None:
    """Write the encoder of the checkpoint in `folder` to `output`, atomically, and print the inputs that it takes.

    Raises CheckpointError for a folder without a checkpoint, and StudyError if `output` exists.
    """
    if output.exists():
        raise StudyError(f"{output} exists already: choose another -o")
    anonymizer = load_anonymizer(folder)
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(output) as path:
        WRITERS[form](anonymizer, path)
    name, kind = input_name(anonymizer), anonymizer.config.channel.kind
    dtype = "uint8" if name == "images" else "float32"
    shape = ", ".join(map(str, ("n", *anonymizer.input_shape)))
    stdout.print(f"{output}: {name} {dtype} [{shape}] to g")
    if kind in ("noise", "random_replacement"):
        stdout.print(
            f"its channel ({kind}) takes random numbers as the input `drawn`: draw them anew for each image and throw"
            " them away, because whoever knows them can undo the channel"
        )
