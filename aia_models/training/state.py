"""Where a training stands between two epochs, as one file: another process goes on from it as if it were its own.

What stage 1 left is one such file, which trials that agree on stage 1 share: nothing in it depends on α, β, the
channel or another hyperparameter of joint training.
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
    """Networks, optimisers and random streams by name, and the epochs that led there.

    `error` says why training diverged, and then there are no tensors; None where it did not. `notes` are whatever text
    the caller wants back.
    """

    tensors: dict[str, Tensor]
    records: tuple[EpochRecord, ...]
    error: str | None = None
    notes: str = ""


def capture(trainer: Trainer, records: Sequence[EpochRecord], notes: str = "") -> TrainingState:
    """The state of a trainer after the epochs of `records`, all there were; tensors are on the CPU."""
    tensors = {f"networks.{name}": value for name, value in trainer.networks.state_dict().items()}
    tensors |= {name: state[key] for name, state, key in _optimiser_state(trainer)}
    tensors |= {f"stream.{name}": one.get_state() for name, one in trainer.objective.streams().items()}
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    return TrainingState(copies, tuple(records), notes=notes)


@torch.no_grad()
def restore(trainer: Trainer, state: TrainingState) -> None:
    """Puts a fresh trainer of the same configuration where `state` was captured: its runs go on from there."""
    trainer.stand_after(state.records)
    prefix = "networks."
    weights = {n.removeprefix(prefix): v for n, v in state.tensors.items() if n.startswith(prefix)}
    trainer.networks.load_state_dict(weights)
    for owner, optimiser in _optimisers(trainer).items():
        if any(name.startswith(f"optimiser.{owner}.") for name in state.tensors):  # else it made no step yet
            _initialise(optimiser)
    for name, moments, key in _optimiser_state(trainer):
        moments[key].copy_(state.tensors[name])
    for name, stream in trainer.objective.streams().items():
        stream.set_state(state.tensors[f"stream.{name}"])


def save(state: TrainingState, path: Path) -> None:
    """Writes one safetensors file, which appears whole or not at all and replaces an earlier one; OSError where
    the disk does not take it."""
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
    """What `save` wrote; CheckpointError where the file is damaged."""
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
    """A name for each tensor of the optimisers' state, and where it lies."""
    for owner, optimiser in _optimisers(trainer).items():
        for number, parameter in enumerate(optimiser.param_groups[0]["params"]):
            state = optimiser.state[parameter]
            for key in state:
                yield f"optimiser.{owner}.{number}.{key}", state, key


def _initialise(optimiser: torch.optim.Adam) -> None:
    """Makes the state as a first step would: moments in their parameter's layout, counts on its device.

    `load_state_dict` would take the layout of what it is given, and a fused step reads both alike.
    """
    for parameter in optimiser.param_groups[0]["params"]:
        optimiser.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        }
