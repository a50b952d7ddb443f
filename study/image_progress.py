"""Progress of work on the images of a data set, block by block."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aia_models.data.prepared.blocks import BlockReport

SECONDS_BETWEEN_LINES = 10.0  # where stderr is no terminal


class ImageProgress:
    """Shows images done, images per second and the time to go: a bar on a terminal, elsewhere a line every 10 s.

    `doing` says what is done to the images, such as "preparing".
    """

    def __init__(self, console: Console, doing: str, images: int) -> None:
        self._console = console
        self._doing = doing
        self._images = images
        self._done = 0
        self._decoded = 0
        self._started: float | None = None  # when the first report came: before that, workers start
        self._printed_at = time.monotonic()
        self._bar = Progress(
            TextColumn(doing),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("images, {task.fields[rate]:,.0f} images/s, to go"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=images, rate=0.0)

    def __enter__(self) -> "ImageProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def add(self, report: BlockReport) -> None:
        """Count a finished block. Blocks of an earlier, interrupted run count as done, but not for the rate."""
        now = time.monotonic()
        self._done += report.images
        if self._started is None:
            self._started = now
        else:
            self._decoded += report.decoded
        rate = self._decoded / max(now - self._started, 1e-9)
        self._bar.update(self._task, advance=report.images, rate=rate)
        if rate and not self._console.is_terminal and now - self._printed_at >= SECONDS_BETWEEN_LINES:
            self._printed_at = now
            to_go = (self._images - self._done) / rate
            self._console.print(
                f"{self._doing}: {self._done:,} of {self._images:,} images, {rate:,.0f} images/s, {to_go:.0f} s to go"
            )
