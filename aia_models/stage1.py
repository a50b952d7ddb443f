"""Stage 1's result: what joint training goes on from, as one file, so that trials that agree on it share it.

Nothing in it depends on α, β, the channel or another hyperparameter of joint training.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from aia_models.errors import CheckpointError
from aia_models.training import EpochRecord, Trainer

RECORDS, ERROR = "records", "error"


@dataclass(frozen=True)
class Stage1:
    """Networks and optimisers by name, and the epochs that led there.

    `error` says why training diverged, and then there are no tensors; None where it did not.
    """

    tensors: dict[str, Tensor]
    records: tuple[EpochRecord, ...]
    error: str | None = None


def capture(trainer: Trainer, records: Sequence[EpochRecord]) -> Stage1:
    """The state of a trainer that has just run stage 1, with that stage's `records`; tensors are on the CPU."""
    tensors = {f"networks.{name}": value for name, value in trainer.networks.state_dict().items()}
    tensors |= {name: state[key] for name, state, key in _optimiser_state(trainer)}
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    return Stage1(copies, tuple(records))


@torch.no_grad()
def restore(trainer: Trainer, stage1: Stage1) -> None:
    """Puts a fresh trainer of the same configuration where stage 1 ended: `run_joint` goes on from there."""
    prefix = "networks."
    weights = {n.removeprefix(prefix): v for n, v in stage1.tensors.items() if n.startswith(prefix)}
    trainer.networks.load_state_dict(weights)
    for owner, optimiser in _stage_crossing(trainer).items():
        if any(
            name.startswith(f"optimiser.{owner}.") for name in stage1.tensors
        ):  # none without epochs of the heads
            _initialise(optimiser)
    for name, state, key in _optimiser_state(trainer):
        state[key].copy_(stage1.tensors[name])
    trainer.epochs_done = stage1.records[-1].epoch
    trainer.train_images_seen = stage1.records[-1].train_images_seen


def save(stage1: Stage1, path: Path) -> None:
    """Writes one safetensors file, which appears whole or not at all and replaces an earlier one."""
    about = {RECORDS: json.dumps([asdict(record) for record in stage1.records])}
    if stage1.error is not None:
        about[ERROR] = stage1.error
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as workplace:
        aside = Path(workplace, "new")
        save_file(stage1.tensors, aside, about)
        with aside.open("rb") as file:  # a rename may outlive a power cut that its content does not
            os.fsync(file.fileno())
        os.replace(aside, path)


def load(path: Path) -> Stage1:
    """What `save` wrote; CheckpointError where the file is damaged."""
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
        records = tuple(EpochRecord(**record) for record in json.loads(about[RECORDS]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error}): needs a file that stage 1 wrote") from error
    return Stage1(tensors, records, about.get(ERROR))


def _stage_crossing(trainer: Trainer) -> dict[str, torch.optim.Adam]:
    """The optimisers whose moments joint training goes on with; the anonymizer's starts anew."""
    return {"adversary": trainer.adversary_optimiser, "matcher": trainer.matcher_optimiser}


def _optimiser_state(trainer: Trainer) -> Iterator[tuple[str, dict[str, Tensor], str]]:
    """A name for each tensor of the optimisers' state, and where it lies."""
    for owner, optimiser in _stage_crossing(trainer).items():
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
