"""Measures what early stopping saves: the joint epochs to reach a front, by replay of a recorded study.

Reference A is the mean final hypervolume of 100 random trials at full fidelity, reference B that of 100 TPE
trials, both over the seeds. Each search is then replayed with the same seeds. The joint epochs that it needs
to reach A and B are divided by those of the 100 trials, and likewise its virtual seconds, judging included. A
run that has not reached the reference after twice the reference's epochs is censored and counts as that
limit. A mean with censored runs is therefore too low; a median is not, as long as they are fewer than half.
Stage 1, which trials share, counts for no search. docs/experiments/early_stopping.md has figures of --full.

    python benchmarks/replay.py             # 20 seeds, the defaults; about 4 minutes on 2 cores
    python benchmarks/replay.py --full      # 40 seeds, every reduction factor, grace and sampler

On the RESULT line `epochs_vs_random` and `epochs_vs_tpe` are the mean ratios of epochs to A and to B of TPE
with early stopping at its defaults. `speedup` is the recorded training seconds over the wall seconds of a
replay of TPE at full fidelity.
"""

import argparse
import statistics
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from shared.arguments import at_least

from study.replay.recording import Recording, read_recording
from study.replay.replay import ReplayedTrial, StoppingRule, replay
from study.spec.early_stopping import EarlyStopping
from study.spec.files import with_values
from study.spec.spec import StudySpec

TABLE = Path(__file__).with_name("recorded.parquet")
REFERENCE_TRIALS = 100
LIMIT = 2.0  # of the reference's epochs: a run that needs more is censored
CROWD_TRIALS, CROWD_WORKERS = 10_000, 1_000
RESAMPLES = 10_000
REPEATS = 5


@dataclass(frozen=True)
class Search:
    """One line of the comparison."""

    sampler: str
    rule: str
    grace_epochs: int = EarlyStopping().grace_epochs
    reduction_factor: float = EarlyStopping().reduction_factor
    workers: int = 1

    @property
    def name(self) -> str:
        """The line in words."""
        stops = f" grace {self.grace_epochs} factor {self.reduction_factor:g}" if self.rule != "none" else ""
        return f"{self.sampler} {self.rule}{stops}, {self.workers} workers"

    def spec(self, recording: Recording, seed: int, trials: int) -> StudySpec:
        """The recorded study's spec with this search in it."""
        values = {
            "sampler": self.sampler,
            "early_stopping.rule": self.rule,
            "early_stopping.grace_epochs": self.grace_epochs,
            "early_stopping.reduction_factor": self.reduction_factor,
            "trials": trials,
            "seed": seed,
        }
        return with_values(recording.spec, values)


@dataclass(frozen=True)
class Trace:
    """Hypervolume as a search's trials ended, against joint epochs spent and virtual seconds: each `[trial]`."""

    joint_epochs: np.ndarray
    seconds: np.ndarray
    hypervolume: np.ndarray

    def reach(self, hypervolume: float) -> tuple[float, float] | None:
        """Joint epochs and virtual seconds at which the front first had that hypervolume; None if it never had."""
        if self.hypervolume[-1] < hypervolume:
            return None
        first = int((self.hypervolume >= hypervolume).argmax())
        return float(self.joint_epochs[first]), float(self.seconds[first])


RANDOM, TPE = Search("random", "none"), Search("tpe", "none")
SAMPLERS = ("tpe", "random", "nsga2", "qmc")
DEFAULT = Search("tpe", "mo_asha")


@cache
def recorded(table: Path) -> Recording:
    """The recording, read once by each process."""
    return read_recording(table)


def traced(task: tuple[Path, Search, int]) -> Trace:
    """One search until the limit of joint epochs."""
    table, search, seed = task
    recording = recorded(table)
    return trace_until(int(LIMIT * reference_epochs(recording)), recording, search, seed)


def trace_until(
    joint_epochs: int, recording: Recording, search: Search, seed: int, rule: StoppingRule | None = None
) -> Trace:
    """One search until it has spent so many joint epochs."""
    ended: list[ReplayedTrial] = []
    # Every trial trains an epoch at least: so many trials are never too few.
    for trial in replay(recording, search.spec(recording, seed, joint_epochs), search.workers, rule):
        if trial.joint_epochs_spent > joint_epochs:
            break
        ended.append(trial)
    return Trace(
        np.array([trial.joint_epochs_spent for trial in ended]),
        np.array([trial.ended_seconds for trial in ended]),
        np.array([trial.hypervolume for trial in ended]),
    )


def reference_epochs(recording: Recording) -> int:
    """Joint epochs of the trials of a reference."""
    return REFERENCE_TRIALS * recording.objectives.shape[2]


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95 % interval by resampling the values."""
    resamples = np.random.default_rng(0).choice(np.array(values), (RESAMPLES, len(values)))
    low, high = np.percentile(resamples.mean(axis=1), (2.5, 97.5))
    return statistics.mean(values), float(low), float(high)


def shown_ratio(values: Sequence[float]) -> str:
    """Mean with its interval and median."""
    mean, low, high = mean_interval(values)
    return f"{mean:.3f} [{low:.3f}, {high:.3f}], median {statistics.median(values):.3f}"


def ratios(
    traces: Iterable[Trace], target: float, epochs: int, seconds: float
) -> tuple[list[float], list[float], int]:
    """Per run its joint epochs and seconds to `target` over the reference's, and how many runs are censored."""
    in_epochs: list[float] = []
    in_seconds: list[float] = []
    censored = 0
    for trace in traces:
        reached = trace.reach(target)
        censored += reached is None
        spent_epochs, spent_seconds = reached or (LIMIT * epochs, float(trace.seconds[-1]))
        in_epochs.append(spent_epochs / epochs)
        in_seconds.append(spent_seconds / seconds)
    return in_epochs, in_seconds, censored


def compare(searches: Sequence[Search], table: Path, seeds: int, processes: int) -> dict[Search, list[Trace]]:
    """Traces of every search by seed."""
    tasks = [(table, search, seed) for search in searches for seed in range(seeds)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        traces = iter(list(pool.map(traced, tasks)))
    return {search: [next(traces) for _ in range(seeds)] for search in searches}


def report(traces: dict[Search, list[Trace]], epochs: int) -> tuple[float, float]:
    """Prints the comparison; the default's mean ratios against A and B."""
    finals: dict[Search, float] = {}
    seconds: dict[Search, float] = {}
    for letter, search in (("A", RANDOM), ("B", TPE)):
        at_end = [int((trace.joint_epochs <= epochs).sum()) - 1 for trace in traces[search]]
        final = [float(t.hypervolume[last]) for t, last in zip(traces[search], at_end, strict=True)]
        finals[search], low, high = mean_interval(final)
        seconds[search] = statistics.mean(
            float(t.seconds[last]) for t, last in zip(traces[search], at_end, strict=True)
        )
        print(
            f"reference {letter}, {REFERENCE_TRIALS} trials of {search.sampler}: hypervolume {finals[search]:.4f}"
            f" [{low:.4f}, {high:.4f}], {epochs} joint epochs, {seconds[search]:.0f} virtual seconds"
        )
    for letter, reference in (("A", RANDOM), ("B", TPE)):
        print(
            f"to {letter}: joint epochs over the reference's | virtual seconds over the reference's | censored"
        )
        for search, own in traces.items():
            in_epochs, in_seconds, censored = ratios(own, finals[reference], epochs, seconds[reference])
            print(
                f"  {search.name}: {shown_ratio(in_epochs)} | {shown_ratio(in_seconds)} | {censored} of {len(own)}"
            )
    against = [ratios(traces[DEFAULT], finals[r], epochs, seconds[r])[0] for r in (RANDOM, TPE)]
    return statistics.mean(against[0]), statistics.mean(against[1])


def speedup(recording: Recording, search: Search) -> float:
    """Recorded training seconds over the replay's wall seconds, one worker, the fastest of `REPEATS`."""
    spec = search.spec(recording, 0, REFERENCE_TRIALS)
    walls: list[float] = []
    training = 0.0
    for _ in range(REPEATS):
        started = time.perf_counter()
        training = sum(trial.training_seconds for trial in replay(recording, spec, workers=1))
        walls.append(time.perf_counter() - started)
    ratio = training / min(walls)
    print(
        f"speedup, {search.name}: {training:.0f} s of training in {min(walls):.3f} s ({max(walls):.3f} s the slowest of"
        f" {REPEATS}): {ratio:.0f}"
    )
    return ratio


def crowd(recording: Recording, search: Search) -> None:
    """Many trials on many workers: how long their replay takes."""
    started = time.perf_counter()
    *_, last = replay(recording, search.spec(recording, 0, CROWD_TRIALS), search.workers)
    wall = time.perf_counter() - started
    print(
        f"{CROWD_TRIALS} trials, {search.name}: {wall:.1f} s, {CROWD_TRIALS / wall:.0f} trials per second;"
        f" hypervolume {last.hypervolume:.4f}, {last.joint_epochs_spent} joint epochs, {last.ended_seconds:.0f} virtual"
        " seconds",
        flush=True,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=TABLE, help="a recorded study, as simulate takes it")
    parser.add_argument(
        "--full", action="store_true", help="40 seeds, every reduction factor, grace and sampler"
    )
    parser.add_argument("--seeds", type=at_least(2), help="default 20, with --full 40")
    parser.add_argument("--processes", type=at_least(1), default=2)
    given = parser.parse_args()
    seeds = given.seeds or (40 if given.full else 20)
    recording = recorded(given.table)
    print(f"{given.table.name}: {recording.evidence}; {seeds} seeds; optuna {version('optuna')}")
    searches = [RANDOM, TPE, DEFAULT]
    if given.full:
        searches += [
            *(Search(sampler, "none") for sampler in SAMPLERS),
            *(
                Search(sampler, "mo_asha", grace, factor)
                for sampler in SAMPLERS
                for grace in (1, 2)
                for factor in (2.0, 3.0, 4.0)
            ),
            *(Search("tpe", "mo_asha", workers=workers) for workers in (4, 16)),
        ]
    traces = compare(list(dict.fromkeys(searches)), given.table, seeds, given.processes)
    vs_random, vs_tpe = report(traces, reference_epochs(recording))
    # What a recorded full-fidelity study stands for is full fidelity; where trials stop early a proposal buys less.
    speedups = {
        search: speedup(recording, search) for search in (RANDOM, Search("random", "mo_asha"), TPE, DEFAULT)
    }
    for sampler in ("random", "tpe") if given.full else ("random",):
        crowd(recording, Search(sampler, "mo_asha", workers=CROWD_WORKERS))
    print(f"RESULT epochs_vs_random={vs_random:.3f} epochs_vs_tpe={vs_tpe:.3f} speedup={speedups[TPE]:.0f}")


if __name__ == "__main__":
    main()
