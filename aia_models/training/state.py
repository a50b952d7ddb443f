"""The state of a training between two epochs, saved as one file from which another process resumes it exactly.

The result of stage 1 is such a file too. Trials with the same stage 1 share it, because it does not depend on α, β, the
channel or any other hyperparameter of joint training.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from aia_models.atomic_write import atomic_write
from aia_models.errors import CheckpointError
from aia_models.training.trainer import EpochRecord, Trainer

RECORDS, ERROR, NOTES = "records", "error", "notes"


@dataclass(frozen=True)
class TrainingState:
    """Tensors of networks, optimisers and random streams by name, and the records of all epochs so far.

    `error` is the reason why training diverged (None where it did not); a diverged training has no tensors. `notes` is
    text that the caller stores with the state.
    """

    tensors: dict[str, Tensor]
    records: tuple[EpochRecord, ...]
    error: str | None = None
    notes: str = ""


def capture(trainer: Trainer, records: Sequence[EpochRecord], notes: str = "") -> TrainingState:
    """Return the state of a trainer whose epochs so far are `records`, as copies on the CPU."""
    tensors = {f"networks.{name}": value for name, value in trainer.networks.state_dict().items()}
    tensors |= {name: state[key] for name, state, key in _optimiser_state(trainer)}
    tensors |= {f"stream.{name}": one.get_state() for name, one in trainer.objective.streams().items()}
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    return TrainingState(copies, tuple(records), notes=notes)


@torch.no_grad()
def restore(trainer: Trainer, state: TrainingState) -> None:
    """Set a fresh trainer of the same configuration to `state`; its runs continue from there."""
    trainer.stand_after(state.records)
    prefix = "networks."
    weights = {n.removeprefix(prefix): v for n, v in state.tensors.items() if n.startswith(prefix)}
    trainer.networks.load_state_dict(weights)
    for owner, optimiser in _optimisers(trainer).items():
        if any(
            name.startswith(f"optimiser.{owner}.") for name in state.tensors
        ):  # otherwise it has made no step
            _initialise(optimiser)
    for name, moments, key in _optimiser_state(trainer):
        moments[key].copy_(state.tensors[name])
    for name, stream in trainer.objective.streams().items():
        stream.set_state(state.tensors[f"stream.{name}"])


def save(state: TrainingState, path: Path) -> None:
    """Write the state atomically as one safetensors file; raises OSError where the disk is full or not writable."""
    about = {RECORDS: json.dumps([asdict(record) for record in state.records]), NOTES: state.notes}
    if state.error is not None:
        about[ERROR] = state.error
    with atomic_write(path) as aside:
        try:
            save_file(state.tensors, aside, about)
        except SafetensorError as error:  # safetensors raises it for a full disk
            raise OSError(f"{path} cannot be written: {error}") from error
        with aside.open("rb") as file:  # without it a power cut may keep the rename and lose the content
            os.fsync(file.fileno())


def load(path: Path) -> TrainingState:
    """Read a state written by `save`; raises CheckpointError where the file is damaged."""
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
        records = tuple(EpochRecord(**record) for record in json.loads(about[RECORDS]))
        notes = about[NOTES]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error}): needs a file that training wrote") from error
    return TrainingState(tensors, records, about.get(ERROR), notes)


def _optimisers(trainer: Trainer) -> dict[str, torch.optim.Adam]:
    return {
        "anonymizer": trainer.anonymizer_optimiser,
        "adversary": trainer.adversary_optimiser,
        "matcher": trainer.matcher_optimiser,
    }


def _optimiser_state(trainer: Trainer) -> Iterator[tuple[str, dict[str, Tensor], str]]:
    """Yield the name of each tensor of the optimisers' state, the mapping that holds it, and its key there."""
    for owner, optimiser in _optimisers(trainer).items():
        for number, parameter in enumerate(optimiser.param_groups[0]["params"]):
            state = optimiser.state[parameter]
            for key in state:
                yield f"optimiser.{owner}.{number}.{key}", state, key


def _initialise(optimiser: torch.optim.Adam) -> None:
    """Create the state as a first step does: moments in their parameter's memory layout, counts on its device.

    `load_state_dict` would keep the layout of the loaded tensors, but a fused step expects the parameter's.
    """
    for parameter in optimiser.param_groups[0]["params"]:
        optimiser.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        }
