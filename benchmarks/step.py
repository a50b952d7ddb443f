"""Compares one training step with that of the plain peer (plain.py): time, and share of the machine's rate.

The networks are the paper's, on 64x64 images in batches of 64. Every round runs each kind of step a few times
in a row, as training does, and does not count the first one. The plain trainer runs in a process of its own,
in which no setting of ours is active. shared/cuda_step.py describes the comparison on CUDA.

    python benchmarks/step.py
    python benchmarks/step.py --device cuda    # needs torch, numpy, scikit-learn, safetensors, jaxtyping

On the RESULT line `fp32_ratio` is the median seconds of plain's joint step over those of ours in float32, and
`fast_ratio` over those of our faster type, float32 or bfloat16. `flops_share` is the FLOP/s of our joint step
in float32 over the fastest product or convolution that was measured (shared/ceiling.py).
"""

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs also where the project is not installed

import plain
import torch
from shared.arguments import at_least
from shared.ceiling import ceiling
from shared.twins import PAPER, agreement, batches, peer, synthetic_faces
from torch.utils.flop_counter import FlopCounterMode

from aia_models.config import ComputeConfig
from aia_models.data.splits import SplitFaces
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

IMAGE_SIDE, STEPS_COMPARED, ROUNDS, ON_END = 64, 50, 8, 3
STAGES = ("joint", "autoencoder", "heads")
MAX_DIFFERENCE = 1e-4  # relative, of a loss at the same weights
Step = Callable[[], object]

_peer: dict[str, Step] = {}


def steps_of_peer(trainer: plain.PlainTrainer, faces: SplitFaces) -> dict[str, Step]:
    """The plain trainer's step of each stage on one batch."""
    batch = batches(faces, 1, PAPER.batch_images)[0]
    return {
        "joint": lambda: trainer.joint_step(batch.images, batch.gender, batch.different),
        "autoencoder": lambda: trainer.autoencoder_step(batch.images),
        "heads": lambda: trainer.heads_step(batch.images, batch.gender, batch.different),
    }


def our_steps(trainer: Trainer, faces: SplitFaces) -> dict[str, Step]:
    """Our trainer's step of each stage on the same batch."""
    batch = batches(faces, 1, PAPER.batch_images)[0]
    return {
        "joint": lambda: trainer.joint_step(batch.rows, batch.different),
        "autoencoder": lambda: trainer.autoencoder_step(batch.rows),
        "heads": lambda: trainer.heads_step(batch.rows, batch.different),
    }


def start_peer(cache: str, threads: int) -> None:
    """Once in the peer's process."""
    torch.set_num_threads(threads)
    _peer.update(steps_of_peer(peer(PAPER, IMAGE_SIDE), synthetic_faces(IMAGE_SIDE, Path(cache))))


def peer_seconds(stage: str) -> float:
    """In the peer's process."""
    return seconds_of(_peer[stage])


def seconds_of(step: Step) -> float:
    """Wall seconds of a step among others of its kind."""
    step()
    started = time.perf_counter()
    for _ in range(ON_END - 1):
        step()
    return (time.perf_counter() - started) / (ON_END - 1)


def measured(faces: SplitFaces, cache: Path, threads: int, rounds: int) -> dict[tuple[str, str], list[float]]:
    """Seconds of a step by kind and stage, one figure per round."""
    found: dict[tuple[str, str], list[float]] = {}
    kinds = ("float32", "bfloat16")
    mine = {
        kind: our_steps(Trainer(PAPER, ComputeConfig(dtype=kind, threads=threads), faces), faces)  # type: ignore[arg-type]
        for kind in kinds
    }
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=start_peer, initargs=(str(cache), threads)
    ) as worker:
        for _ in range(rounds):
            for stage in STAGES:
                times = {"plain": worker.submit(peer_seconds, stage).result()}
                times |= {kind: seconds_of(mine[kind][stage]) for kind in kinds}
                for kind, seconds in times.items():
                    found.setdefault((kind, stage), []).append(seconds)
    return found


def flops(step: Step) -> int:
    """Floating-point operations of the products and convolutions that one step executes, as PyTorch counts them."""
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    return counter.get_total_flops()


def on_cpu(threads: int, rounds: int) -> None:
    """Prints the comparison and, last, the RESULT line."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        faces = synthetic_faces(IMAGE_SIDE, Path(folder))
        agreed = agreement(faces, PAPER, STEPS_COMPARED, threads)
        if agreed.losses > MAX_DIFFERENCE:
            sys.exit(
                f"losses differ from plain's by {agreed.losses:.1e}: not the same arithmetic, so no ratio"
            )
        times = measured(faces, Path(folder), threads, rounds)
    print(
        f"torch {torch.__version__}, {threads} threads, {rounds} rounds; seconds per step: median (lowest, highest)"
    )
    for (kind, stage), seconds in times.items():
        ratios = [plain / ours for plain, ours in zip(times["plain", stage], seconds, strict=True)]
        print(
            f"{stage:12} {kind:9} {statistics.median(seconds):7.3f} ({min(seconds):.3f}, {max(seconds):.3f})"
            f"   plain / this: {statistics.median(ratios):5.1f} ({min(ratios):.1f}, {max(ratios):.1f})"
        )
    print(
        f"largest difference to plain over {STEPS_COMPARED} steps at the same weights: losses {agreed.losses:.1e}, "
        f"gradients {agreed.gradients:.1e}, updates {agreed.updates:.1e}; "
        "losses of plain run freely beside itself in channels_last: "
        f"{agreed.free_run_of_plain:.1e}"
    )
    rates = ceiling("cpu", torch.float32)
    trainer = Trainer(PAPER, ComputeConfig(threads=threads), faces)
    shares = {}
    for stage, step in our_steps(trainer, faces).items():
        executed = flops(step)
        rate = executed / statistics.median(times["float32", stage])
        shares[stage] = rate / max(rates.values())
        print(
            f"{stage:12} executes {executed / 1e9:.1f} GFLOP at {rate / 1e9:.0f} GFLOP/s: {shares[stage]:.2f}"
        )
    print("ceiling, GFLOP/s: " + ", ".join(f"{name} {rate / 1e9:.0f}" for name, rate in rates.items()))
    medians = {key: statistics.median(seconds) for key, seconds in times.items()}
    plain_seconds, single, half = (medians[kind, "joint"] for kind in ("plain", "float32", "bfloat16"))
    print(
        f"RESULT fp32_ratio={plain_seconds / single:.2f} fast_ratio={plain_seconds / min(single, half):.2f} "
        f"flops_share={shares['joint']:.3f}"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=at_least(1), default=2)
    parser.add_argument("--rounds", type=at_least(1), default=ROUNDS)
    given = parser.parse_args()
    if given.device == "cpu":
        on_cpu(given.threads, given.rounds)
        return
    if not re.fullmatch(r"cuda(:\d+)?", given.device):
        parser.error(f"--device {given.device}: give cpu, cuda or cuda:N")
    if not torch.cuda.is_available():
        parser.error(
            f"--device {given.device}: this PyTorch ({torch.__version__}) finds no CUDA device; use cpu"
        )
    from shared.cuda_step import on_cuda

    on_cuda(given.device, given.rounds)


if __name__ == "__main__":
    main()
