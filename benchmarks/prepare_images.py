"""Compares the preparation of a large data set with the bare decoder on the same files in the same run.

The benchmark first writes JPEG files of CelebA's size in its layout. The bare decoder reads every file and
decodes it to grey, in one process per core; the clock starts after these processes have started and imported.
Ours is `prepare` as `aia-study prepare` calls it, in a new process, from reading the annotations to
assembling the copy. The files are in the page cache for both.

    python benchmarks/prepare_images.py
    python benchmarks/prepare_images.py --images 200000

On the RESULT line `prepare_ratio` is our images/s over the bare decoder's. `started_ratio` is the same
without the seconds until Ray and its workers have started, which a running cluster does not need.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from shared.arguments import at_least
from shared.drawn_celeba import drawn_celeba
from torchcodec.decoders import decode_jpeg  # pyright: ignore[reportPrivateImportUsage]

from aia_models.data.prepared.blocks import BLOCK_IMAGES, Block, BlockReport
from aia_models.data.prepared.prepare import prepare
from study.tune.preparation import RAY_FROM_IMAGES, shown_on


@dataclass(frozen=True)
class Seconds:
    """Of one preparation: annotations and files listed, Ray started, images in blocks, the copy assembled."""

    listing: float
    start: float
    blocks: float
    assembly: float
    peak_memory_mb: float

    @property
    def whole(self) -> float:
        return self.listing + self.start + self.blocks + self.assembly


def decode(paths: Sequence[str]) -> int:
    """Reads and decodes files, and keeps nothing."""
    for path in paths:
        with open(path, "rb") as file:
            decode_jpeg(file.read(), mode="GRAY")
    return len(paths)


def bare_seconds(paths: Sequence[str], pool: ProcessPoolExecutor) -> float:
    """Seconds to decode all files on the pool's processes."""
    parts = [paths[start : start + BLOCK_IMAGES] for start in range(0, len(paths), BLOCK_IMAGES)]
    started = time.perf_counter()
    assert sum(pool.map(decode, parts)) == len(paths)
    return time.perf_counter() - started


def our_seconds(folder: Path, image_side: int, cache: Path) -> Seconds:
    """Seconds of the phases of one preparation from nothing."""
    clock: dict[str, float] = {}

    def timed(blocks: Sequence[Block]) -> Generator[BlockReport, None, None]:
        clock["listed"] = time.perf_counter()
        reports = shown_on(Console(stderr=True), None)(blocks)
        first = next(reports)
        # The first block comes when all has started; its own seconds are counted as start too.
        clock["started"] = time.perf_counter()
        yield first
        yield from reports
        clock["decoded"] = time.perf_counter()

    started = time.perf_counter()
    prepare(
        f"celeba:{folder}",
        image_side=image_side,
        attributes=("Male",),
        positive=None,
        cache=cache,
        execute=timed,
    )
    ended = time.perf_counter()
    return Seconds(
        listing=clock["listed"] - started,
        start=clock["started"] - clock["listed"],
        blocks=clock["decoded"] - clock["started"],
        assembly=ended - clock["decoded"],
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def spread(values: Sequence[float], form: str) -> str:
    """Median, lowest and highest."""
    return f"{statistics.median(values):{form}} [{min(values):{form}}, {max(values):{form}}]"


def measure(images: int, image_side: int, repeats: int, threads: int) -> None:
    """Prints both sides' images/s, where our seconds go, and the RESULT line."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        faces = drawn_celeba(Path(folder, "celeba"), images)
        paths = [str(path) for path in sorted((faces / "img_align_celeba").iterdir())]
        size = statistics.mean(os.path.getsize(path) for path in paths[:3000])
        print(f"{images:,} JPEG files of {size:,.0f} bytes on average, to {image_side}x{image_side}")
        bare: list[float] = []
        ours: list[Seconds] = []
        with ProcessPoolExecutor(threads, mp_context=context) as pool:
            list(pool.map(decode, [paths[:500]] * threads * 4))
            for repeat in range(repeats):
                bare.append(bare_seconds(paths, pool))
                cache = Path(folder, f"cache-{repeat}")
                with ProcessPoolExecutor(1, mp_context=context) as fresh:
                    ours.append(fresh.submit(our_seconds, faces, image_side, cache).result())
                shutil.rmtree(cache)
    runner = "Ray tasks" if images >= RAY_FROM_IMAGES else "threads"
    print(f"bare decoder  {spread([images / seconds for seconds in bare], ',.0f')} images/s")
    print(f"prepare       {spread([images / run.whole for run in ours], ',.0f')} images/s, {runner}")
    for phase in ("listing", "start", "blocks", "assembly"):
        print(f"  {phase:10}  {spread([getattr(run, phase) for run in ours], '.2f')} s")
    print(f"peak memory   {spread([run.peak_memory_mb for run in ours], ',.0f')} MB of the preparing process")
    whole = [seconds / run.whole for seconds, run in zip(bare, ours, strict=True)]
    started = [seconds / (run.whole - run.start) for seconds, run in zip(bare, ours, strict=True)]
    print(f"whole / bare {spread(whole, '.3f')}, without the start {spread(started, '.3f')}")
    print(
        f"RESULT prepare_ratio={statistics.median(whole):.3f} started_ratio={statistics.median(started):.3f}"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=at_least(1000), default=20_000)
    parser.add_argument("--image-side", type=at_least(16), default=64)
    parser.add_argument("--repeats", type=at_least(1), default=3)
    given = parser.parse_args()
    print(f"torch {version('torch')}, torchcodec {version('torchcodec')}, {os.cpu_count()} cores")
    measure(given.images, given.image_side, given.repeats, os.cpu_count() or 1)


if __name__ == "__main__":
    main()
