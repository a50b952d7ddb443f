"""Checkpoints: the released encoder as safetensors beside a JSON file that says what it is; never pickle."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from aia_models.anonymizer import Anonymizer
from aia_models.config import TrainingConfig
from aia_models.errors import AIAError, CheckpointError

FORMAT_VERSION = 1
WEIGHTS, DESCRIPTION = "model.safetensors", "config.json"


def save(anonymizer: Anonymizer, folder: Path, about: Mapping[str, Any]) -> None:
    """Writes `anonymizer` to `folder`, which appears whole or not at all and replaces an earlier one.

    `about` is JSON content for readers: what the images went through, what was measured. No seed of the
    release's noise is ever among it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    weights = {name: value.cpu().contiguous() for name, value in anonymizer.state_dict().items()}
    save_file(weights, aside / WEIGHTS)
    description = {
        "format_version": FORMAT_VERSION,
        "image_side": anonymizer.image_side,
        "config": asdict(anonymizer.config),
        "about": dict(about),
    }
    (aside / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")
    aside.chmod(0o755)
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(aside, folder)


def load(folder: str | Path, device: str = "cpu") -> Anonymizer:
    """The encoder of a checkpoint folder, ready to `encode`; raises CheckpointError where there is none."""
    folder = Path(folder)
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
        _refuse_newer(description["format_version"])
        config = _from_json(TrainingConfig, description["config"])
        anonymizer = Anonymizer(config, description["image_side"])
        anonymizer.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} is no checkpoint: {Path(error.filename).name} is missing") from error
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError, AIAError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{folder} cannot be read: {reason}") from error
    return anonymizer.to(torch.device(device)).eval()


def _refuse_newer(version: int) -> None:
    if version > FORMAT_VERSION:
        raise CheckpointError(f"its format {version} is newer than this release's {FORMAT_VERSION}")


def _from_json(kind: type, content: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for field in fields(kind):
        value = content[field.name]
        if is_dataclass(hints[field.name]):
            value = _from_json(hints[field.name], value)  # type: ignore[arg-type]
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)
