"""Runs the preparation of faces in threads or as Ray tasks, with its progress on stderr."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import typer
from rich.console import Console

from aia_models.data.prepared.blocks import Block, BlockReport, Execute, in_threads
from analysis.tables.location import Location
from study.console import INTERRUPTED, print_error, stderr
from study.errors import StudyError
from study.image_progress import ImageProgress

# Threads of two cores take 10 s for that many images, as long as a local Ray takes to start.
RAY_FROM_IMAGES = 100_000
BLOCKS_PER_CORE = 4  # submitted at once: enough to keep all cores busy, few enough to hold in memory


@contextmanager
def preparing(address: str | None, storage: Location) -> Iterator[Execute]:
    """Yield a function that runs a preparation for `storage`. An interrupt prints one line and exits with status 130.

    Faces for object storage are prepared on this machine alone, since no other machine sees its disk.
    """
    try:
        yield shown_on(stderr, address if isinstance(storage, Path) else None)
    except KeyboardInterrupt as interrupt:
        print_error("interrupted: prepared images are kept, the same command continues from there")
        raise typer.Exit(INTERRUPTED) from interrupt


def shown_on(console: Console, address: str | None) -> Execute:
    """Return a function that runs blocks of images: as Ray tasks from `RAY_FROM_IMAGES` images on, else in threads."""

    def execute(blocks: Sequence[Block]) -> Generator[BlockReport, None, None]:
        images = sum(block.count for block in blocks)
        reports = on_ray(blocks, address) if images >= RAY_FROM_IMAGES else in_threads(blocks)
        with ImageProgress(console, "preparing", images) as progress:
            for report in reports:
                progress.add(report)
                yield report

    return execute


def on_ray(blocks: Sequence[Block], address: str | None) -> Generator[BlockReport, None, None]:
    """Run blocks as Ray tasks of one core each, on the cluster at `address` or a local one.

    Yields each block's report when the block ends. StudyError where no cluster answers; OSError where a node cannot
    write a block.
    """
    # Importing Ray takes a second, which a small data set need not pay.
    import ray
    from ray.exceptions import RayError, RayTaskError

    from study.tune.cluster import connected

    with connected(address):
        run = ray.remote(num_cpus=1)(Block.run)
        max_pending = BLOCKS_PER_CORE * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        pending: list[ray.ObjectRef] = []
        remaining = iter(blocks)
        while True:
            pending += [run.remote(block) for block in islice(remaining, max_pending - len(pending))]
            if not pending:
                return
            done, pending = ray.wait(pending, num_returns=1)
            try:
                yield from ray.get(done)
            except RayTaskError as error:
                raise error.cause from error
            except RayError as error:
                raise StudyError(f"preparing on Ray failed, run the same command again: {error}") from error
