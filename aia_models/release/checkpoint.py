"""Checkpoints: the released encoder's weights as safetensors and its description as JSON; never pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialised
from torch import Tensor

from aia_models.atomic_write import atomic_folder
from aia_models.config import TrainingConfig
from aia_models.errors import AIAError, CheckpointError
from aia_models.release.anonymizer import Anonymizer

FORMAT_VERSION = 5
WEIGHTS, DESCRIPTION = "model.safetensors", "config.json"


def save(
    anonymizer: Anonymizer, folder: Path, about: Mapping[str, Any], beside: Mapping[str, bytes] | None = None
) -> None:
    """Save the checkpoint atomically: readers see the old folder or the new one.

    The parent of `folder` is created where it is missing, but not the parent's parent. `about` is JSON content for
    readers, such as how images were prepared and what was measured. `beside` maps the names of further files to their
    content. The seed in the config is that of training and judging; the noise of `encode` has none.
    """
    description = {
        "format_version": FORMAT_VERSION,
        "input_shape": anonymizer.input_shape,
        "config": asdict(anonymizer.config),
        "about": dict(about),
    }
    weights = {name: value.cpu().contiguous() for name, value in anonymizer.state_dict().items()}
    folder.parent.mkdir(exist_ok=True)
    with atomic_folder(folder) as aside:
        (aside / WEIGHTS).write_bytes(serialised(weights))  # `save_file` would deny other users access
        (aside / DESCRIPTION).write_text(json.dumps(description, indent=2, allow_nan=False) + "\n")
        for name, content in (beside or {}).items():
            (aside / name).write_bytes(content)


def load(folder: str | Path, device: str = "cpu") -> Anonymizer:
    """The encoder of a checkpoint folder on `device`, ready to `encode`.

    Raises CheckpointError where there is none, where it is damaged or of another format.
    """
    folder = Path(folder)
    try:
        description = json.loads((folder / DESCRIPTION).read_text())
        version = description["format_version"]
        _refuse_other(version)
        content, weights = description["config"], load_file(folder / WEIGHTS)
        anonymizer = Anonymizer(_from_json(TrainingConfig, content), tuple(description["input_shape"]))
        _set_weights(anonymizer, weights)
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = f"a folder with {DESCRIPTION} and {WEIGHTS} is needed"
        raise CheckpointError(f"{folder} is no checkpoint: {missing}") from error
    except KeyError as error:
        raise CheckpointError(f"{folder} cannot be read: {DESCRIPTION} has no {error}") from error
    except (ValueError, TypeError, RuntimeError, OSError, SafetensorError, AIAError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{folder} cannot be read: {reason}") from error
    return anonymizer.to(torch.device(device)).eval()


def read_about(folder: Path) -> Mapping[str, Any]:
    """Return the JSON content that the checkpoint in `folder` was saved with (`about`), once `load` has read it."""
    return json.loads((folder / DESCRIPTION).read_text())["about"]


def _refuse_other(version: int) -> None:
    if version != FORMAT_VERSION:
        raise CheckpointError(f"its format is {version}, and this release reads format {FORMAT_VERSION}")


def _set_weights(anonymizer: Anonymizer, weights: Mapping[str, Tensor]) -> None:
    shapes = {name: list(value.shape) for name, value in anonymizer.state_dict().items()}
    stored = {name: list(value.shape) for name, value in weights.items()}
    for name in sorted(shapes.keys() | stored.keys()):
        if shapes.get(name) != stored.get(name):
            stored_shape, shape = stored.get(name, "missing"), shapes.get(name, "wanted")
            raise CheckpointError(
                f"{WEIGHTS} does not fit {DESCRIPTION}: {name} is {stored_shape}, not {shape}"
            )
    anonymizer.load_state_dict(weights)


def _config_of(hint: Any, content: Mapping[str, Any]) -> type:
    """Return the config class that a field's type names; of several the one whose `kind` is that of `content`."""
    several = get_args(hint)
    return next(one for one in several if one.kind == content["kind"]) if several else hint


def _from_json(kind: type, content: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for field in fields(kind):
        value = content[field.name]
        if isinstance(value, dict):
            value = _from_json(_config_of(hints[field.name], value), value)
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)
