"""Compares the joint step on a CUDA device in several modes with the plain peer's step.

Our step runs eagerly, compiled, and captured as a CUDA graph; several trials run packed as processes, and
fused (fused_trials.py). Faces lie on the device as uint8; a batch consists of two small index tensors.

    python benchmarks/step.py --device cuda

On the RESULT line `images_per_second` is the rate of our fastest mode with one trial, `plain_ratio` that rate
over the peer's, and `bf16_share` the share of the bfloat16 ceiling that it reaches. `packed_8` and `fused_8`
are the images/s of eight packed and of eight fused trials together.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from aia_models.config import ComputeConfig
from aia_models.data.splits import SplitFaces
from aia_models.training.device_faces import DeviceFaces
from aia_models.training.trainer import Trainer
from shared.ceiling import ceiling, synchronise
from shared.fused_trials import FusedTrials
from shared.twins import PAPER, Batch, batches, peer, synthetic_faces

IMAGE_SIDE, STEPS_ON_END, TRIALS = 64, 50, (1, 2, 4, 8)
PACKED_SECONDS = 5.0
HALF = ComputeConfig(device="cuda", dtype="bfloat16")


class Captured:
    """A step recorded once as a CUDA graph: a call copies the inputs into place and replays it."""

    def __init__(
        self,
        step: Callable[..., Tensor],
        inputs: Sequence[Tensor],
        generators: Sequence[torch.Generator] = (),
    ) -> None:
        self._step = step  # and with it all memory that the graph works on
        self._inputs = [value.clone() for value in inputs]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # sets up what a capture must not: kernels, optimiser states, memory
            for _ in range(3):
                step(*self._inputs)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self._graph.register_generator_state(generator)
        with torch.cuda.graph(self._graph):
            self._losses = step(*self._inputs)

    def __call__(self, *inputs: Tensor) -> Tensor:
        for place, value in zip(self._inputs, inputs, strict=True):
            place.copy_(value)
        self._graph.replay()
        return self._losses


def captured(trainer: Trainer, batch: Batch) -> Captured:
    """The trainer's joint step as a graph."""
    return Captured(trainer.joint_step, (batch.rows, batch.different), [trainer.objective.noise])


def images_per_second(step: Callable[[], object], images: int, device: str, rounds: int) -> list[float]:
    """One figure per round of `STEPS_ON_END` steps; a first round does not count."""
    found = []
    for _ in range(rounds + 1):
        synchronise(device)
        started = time.perf_counter()
        for _ in range(STEPS_ON_END):
            step()
        synchronise(device)
        found.append(STEPS_ON_END * images / (time.perf_counter() - started))
    return found[1:]


def packed(cache: str, compute: ComputeConfig, trials: int, seconds: float) -> float:
    """Images/s of `trials` processes together, each with a training of its own, over the same `seconds`."""
    context = get_context("spawn")
    barrier, results = context.Barrier(trials), context.Queue()
    workers = [
        context.Process(target=_packed_trial, args=(cache, compute, seed, seconds, barrier, results))
        for seed in range(trials)
    ]
    for worker in workers:
        worker.start()
    rates = [results.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join()
    return sum(rates)


def _packed_trial(cache: str, compute: ComputeConfig, seed: int, seconds: float, barrier, results) -> None:
    torch.set_num_threads(compute.threads)
    on_gpu = compute.device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(compute.device)
    faces = synthetic_faces(IMAGE_SIDE, Path(cache))
    trainer = Trainer(replace(PAPER, seed=seed), compute, faces)
    batch = batches(faces, 1, PAPER.batch_images, compute.device)[0]
    step = captured(trainer, batch) if on_gpu else trainer.joint_step
    on_end = STEPS_ON_END if on_gpu else 1
    step(batch.rows, batch.different)
    synchronise(compute.device)
    barrier.wait(timeout=300)
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        for _ in range(on_end):
            step(batch.rows, batch.different)
        synchronise(compute.device)
        steps += on_end
    results.put(steps * PAPER.batch_images / (time.perf_counter() - started))


def _modes(faces: SplitFaces, device: str) -> dict[str, Callable[[], Callable[[], object]]]:
    batch = batches(faces, 1, PAPER.batch_images, device)[0]
    given = (batch.rows, batch.different)
    single, half = (replace(HALF, device=device, dtype=dtype) for dtype in ("float32", "bfloat16"))

    def plain_step() -> Callable[[], object]:
        trainer = peer(PAPER, IMAGE_SIDE, device)
        return lambda: trainer.joint_step(batch.images, batch.gender, batch.different)

    def eager(compute: ComputeConfig) -> Callable[[], object]:
        trainer = Trainer(PAPER, compute, faces)
        return lambda: trainer.joint_step(*given)

    def compiled() -> Callable[[], object]:
        step = torch.compile(Trainer(PAPER, half, faces).joint_step, mode="reduce-overhead")
        return lambda: step(*given)

    def graph() -> Callable[[], object]:
        step = captured(Trainer(PAPER, half, faces), batch)
        return lambda: step(*given)

    return {
        "plain, float32": plain_step,
        "ours, float32": lambda: eager(single),
        "ours, bfloat16": lambda: eager(half),
        "ours, bfloat16, compiled": compiled,
        "ours, bfloat16, CUDA graph": graph,
    }


def fused(faces: SplitFaces, trials: int, device: str) -> Callable[[], object]:
    """A graph of the joint step of `trials` fused trainings, each with a batch of its own."""
    configs = [replace(PAPER, seed=seed, alpha=0.5 + seed, betas=(0.5,)) for seed in range(trials)]
    together, resident = (
        FusedTrials(configs, IMAGE_SIDE, device),
        DeviceFaces.load(faces.train, ("gender",), device),
    )
    drawn = batches(faces, trials, PAPER.batch_images, device)
    given = torch.stack([batch.rows for batch in drawn]), torch.stack([batch.different for batch in drawn])

    def step(rows: Tensor, different: Tensor) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16):
            images = resident.inputs[rows].float() / 255
            return together.step(images, resident.attributes[rows, 0], different)

    graph = Captured(step, given)
    return lambda: graph(*given)


def indexed(device: str) -> str:
    """`cuda` as PyTorch wants it where a device is chosen: `cuda:0`."""
    found = torch.device(device)
    return f"{found.type}:{found.index or 0}"


def on_cuda(device: str, rounds: int) -> None:
    """Prints images/s of every mode, packed and fused trials, and the RESULT line. A mode that this machine cannot
    run (compiling needs a C compiler) says so and is left out."""
    device = indexed(device)
    torch.cuda.set_device(device)
    medians: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as cache:
        faces = synthetic_faces(IMAGE_SIDE, Path(cache))
        peak = max(ceiling(device, torch.bfloat16).values())
        counter = FlopCounterMode(display=False)
        batch = batches(faces, 1, PAPER.batch_images, device)[0]
        with counter:
            Trainer(PAPER, replace(HALF, device=device), faces).joint_step(batch.rows, batch.different)
        per_image = counter.get_total_flops() / PAPER.batch_images
        print(
            f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}, "
            f"bfloat16 ceiling {peak / 1e12:.1f} TFLOP/s, "
            f"TF32 in convolutions {torch.backends.cudnn.allow_tf32}; images/s: median (lowest, highest)"
        )

        def report(name: str, measure: Callable[[], list[float]]) -> None:
            try:
                found = measure()
            except Exception as error:  # noqa: BLE001  one mode's failure must not cost the others their figures
                print(f"{name:30} not available: {str(error).splitlines()[0]}")
                return
            medians[name] = statistics.median(found)
            share = (
                f"  {medians[name] * per_image / peak:.3f} of the ceiling" if "float32" not in name else ""
            )
            print(f"{name:30} {medians[name]:10.0f} ({min(found):.0f}, {max(found):.0f}){share}")

        size = PAPER.batch_images
        for name, make in _modes(faces, device).items():
            report(name, lambda make=make: images_per_second(make(), size, device, rounds))
        half = replace(HALF, device=device)
        for trials in TRIALS:
            report(
                f"{trials} packed as processes",
                lambda trials=trials: [packed(cache, half, trials, PACKED_SECONDS) for _ in range(3)],
            )
        for trials in TRIALS:
            report(
                f"{trials} fused",
                lambda trials=trials: images_per_second(
                    fused(faces, trials, device), trials * size, device, rounds
                ),
            )
    best = max(medians[name] for name in medians if name.startswith("ours"))
    keys = {"plain_ratio": "plain, float32", "packed_8": "8 packed as processes", "fused_8": "8 fused"}
    rates = {key: medians.get(name, float("nan")) for key, name in keys.items()}
    print(
        f"RESULT images_per_second={best:.0f} plain_ratio={best / rates['plain_ratio']:.2f} "
        f"bf16_share={best * per_image / peak:.3f} packed_8={rates['packed_8']:.0f} fused_8={rates['fused_8']:.0f}"
    )
