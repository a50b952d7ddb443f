"""Live progress of a study: finished and running trials, the front so far, elapsed and expected time."""

import pickle
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ray.tune import Callback
from ray.tune.experiment import Trial
from rich.console import Console
from rich.live import Live
from rich.text import Text

from analysis.fronts.pareto import is_nondominated
from analysis.tables.objectives import ATTACKER, MATCHING
from study.trial.rows import exception_line

SHOWN_FRONT = 5


class Progress(Callback):
    """Draws one status block on a terminal; elsewhere prints one line per finished trial.

    `planned` is the number of this run's trials; `recorded` are the `trials` rows of earlier runs, whose points belong
    to the front too.
    """

    def __init__(self, console: Console, planned: int, recorded: Iterable[Mapping[str, Any]]) -> None:
        self._console = console
        self._planned = planned
        self._started = time.monotonic()
        self._finished = 0
        self._stopped = 0
        self._unjudged = 0
        self._running: set[str] = set()
        self._points = [point for row in recorded if row["phase"] == "search" and (point := _point(row))]
        self._live = Live(get_renderable=self._block, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing to pickle: Tune pickles its callbacks into a snapshot that no resume reads."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Ray Tune: a trial began to run."""
        self._running.add(trial.trial_id)

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Ray Tune: a trial ended."""
        self._running.discard(trial.trial_id)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Ray Tune: a trial's worker died. The trial may run again, so that only `finished` counts it."""
        self._running.discard(trial.trial_id)
        self._console.print(
            f"{trial.config['trial_id']}: its worker died ({_last_error(trial)})", highlight=False
        )

    def finished(self, row: Mapping[str, Any]) -> None:
        """Count a trial whose rows are written; `row` is its `trials` row."""
        self._finished += 1
        point = _point(row)
        if row["status"] == "stopped_early":
            self._stopped += 1
        elif point is None:
            self._unjudged += 1
        elif row["phase"] == "search":
            self._points.append(point)
        if not self._console.is_terminal:
            self._console.print(f"{row['trial_id']}: {_result(row)}; {self._counts()}", highlight=False)

    def _block(self) -> Text:
        return Text(f"{self._counts()}\n{self._front()}", no_wrap=True, overflow="ellipsis")

    def _counts(self) -> str:
        elapsed = time.monotonic() - self._started
        running = f", {len(self._running)} running" if self._running else ""
        stopped = f", {self._stopped} of them early" if self._stopped else ""
        unjudged = f", {self._unjudged} not judged" if self._unjudged else ""
        expected = ""
        if self._finished:
            left = elapsed / self._finished * (self._planned - self._finished)
            expected = f", about {_clock(left)} to go"
        counts = f"{self._finished} of {self._planned} trials finished{stopped}{unjudged}{running}"
        return f"{counts}; {_clock(elapsed)} elapsed{expected}"

    def _front(self) -> str:
        if not self._points:
            return "front so far: none yet"
        points = np.array(self._points)
        front = points[is_nondominated(points * [ATTACKER.sign, MATCHING.sign])]
        front = front[np.argsort(front[:, 0])]
        chosen = front[np.unique(np.linspace(0, len(front) - 1, SHOWN_FRONT).astype(int))]
        shown = "  ".join(f"{attacker:.3f}/{matching:.3f}" for attacker, matching in chosen)
        return f"front so far ({len(front)} designs), attacker/matching AUC: {shown}"


def _last_error(trial: Trial) -> str:
    """Return the trial's last error, which Ray Tune keeps in a file, as one line."""
    if trial.pickled_error_file is None:  # the worker did not start
        return "it did not start"
    try:
        error = pickle.loads(Path(trial.pickled_error_file).read_bytes())
    except OSError:
        return "it did not start"
    return exception_line(getattr(error, "cause", None) or error)


def _point(row: Mapping[str, Any]) -> tuple[float, float] | None:
    attacker, matching = row.get(ATTACKER.column), row.get(MATCHING.column)
    if row["status"] != "complete" or attacker is None or matching is None:
        return None
    return attacker, matching


def _result(row: Mapping[str, Any]) -> str:
    if row["status"] == "stopped_early":
        return f"stopped after {row.get('epochs')} epochs"
    if row["status"] != "complete":
        return f"{row['status']} ({row.get('error') or 'no figures'})"
    point = _point(row)
    return f"attacker {point[0]:.3f}, matching {point[1]:.3f}" if point else "complete, but not judged"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
