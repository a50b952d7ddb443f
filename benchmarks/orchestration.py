"""Measures the time that a study adds to its trainings, with trials that train nothing.

Each trial reports 10 joint epochs, and both objectives at every rung and at its end, and writes a checkpoint.
Ray, Optuna, the journal, the tables and early stopping are the product's own. Early stopping compares the
trials at each rung, but here it stops none, because it would end most of them.

    python benchmarks/orchestration.py                    # 1,000 trials, then 5,000

On the RESULT line `ms_per_trial_N` is the wall time of a study of N trials, in ms, divided by N.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from shared.arguments import at_least

EPOCHS = 10


def run_study_of(trials: int, directory: Path) -> dict[str, float]:
    """Runs one study of trials that train nothing, and what it took."""
    from rich.console import Console

    from analysis.fronts.pareto import pareto_front
    from analysis.tables.reader import open_tables, read_trials
    from study.lifecycle.study_directory import create_study
    from study.spec.files import load_spec, with_settings
    from study.spec.spec import with_defaults
    from study.tune import run_study, tune_run
    from study.tune.cluster import connected
    from study.tune.scheduler import MultiObjectiveHalving

    settings = [f"trials={trials}", "baselines=[]", f"training.joint_epochs={EPOCHS}", "name=nothing"]
    settings += ["early_stopping.rule=mo_asha", "resources.cpus_per_trial=1"]
    study = create_study(with_defaults(with_settings(load_spec("alpha-beta"), settings)), directory)

    decisions: list[str] = []

    class NeverStops(MultiObjectiveHalving):
        def on_trial_result(self, tune_controller: Any, trial: Any, result: dict) -> str:
            decisions.append(super().on_trial_result(tune_controller, trial, result))
            return self.CONTINUE

    tune_run.AIATrainable = nothing_trained()  # type: ignore[assignment,misc]
    tune_run.MultiObjectiveHalving = NeverStops  # type: ignore[assignment,misc]
    told = directory / "progress.txt"
    console = Console(file=told.open("w", buffering=1), width=1000)
    with connected(None):
        before = resident_mib()
        started, ends = time.perf_counter(), Ends(told)
        with ends:
            summary = run_study.run_study(study, None, console)
        seconds = time.perf_counter() - started
        grown = resident_mib() - before
    if summary.finished != trials:
        raise RuntimeError(f"{summary.finished} of {trials} trials are recorded")
    if decisions.count(MultiObjectiveHalving.STOP) < trials / 2:
        raise RuntimeError("early stopping compared nothing: it would have stopped most trials")
    reads = []
    for _ in range(5):
        began = time.perf_counter()
        pareto_front(read_trials(open_tables(study.path)))
        reads.append(time.perf_counter() - began)
    # The last part of a table is written when the store closes, due or not.
    written = sorted(part.stat().st_mtime for part in (study.path / "results" / "trials").iterdir())[:-1]
    gaps = [later - earlier for earlier, later in pairwise(written)]
    return {
        "ms_per_trial": 1000 * seconds / trials,
        "ms_per_trial_of_the_last_fifth": 1000 * ends.seconds_of_last(trials // 5) / (trials // 5),
        "driver_kib_per_trial": 1024 * grown / trials,
        "least_seconds_between_parts": min(gaps, default=math.inf),
        "read_seconds": statistics.median(reads),
        "checkpoints": float(len(list((study.path / "checkpoints").iterdir()))),
    }


class Ends:
    """Watches when trials end, by the lines that are told of them: four looks a second."""

    def __init__(self, told: Path) -> None:
        self._told = told
        self._seen: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Ends":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def seconds_of_last(self, trials: int) -> float:
        """Seconds in which the last `trials` trials ended."""
        last, count = self._seen[-1]
        return last - next(when for when, ended in self._seen if ended >= count - trials)

    def _watch(self) -> None:
        while not self._over.wait(0.25):
            there = self._told.read_text().count("trials finished")
            self._seen.append((time.perf_counter(), there))


def nothing_trained() -> type:
    """The product's trainable, with trials that compute nothing in place of `run_trial`."""
    import torch

    from aia_models.config import ChannelConfig
    from aia_models.random_streams import stream_seed
    from aia_models.release import checkpoint
    from aia_models.release.anonymizer import Anonymizer
    from aia_models.training.trainer import EpochRecord
    from study.spec.spec import judged_epochs
    from study.storage.outcome import Outcome
    from study.trial.plan import TrialPlan
    from study.trial.rows import trial_row
    from study.trial.run import EpochReport, TrialContext
    from study.trial.training_config import training_config
    from study.tune.trainable import AIATrainable

    def figures(plan: TrialPlan, epoch: int) -> dict[str, float]:
        draw = [
            stream_seed(plan.optuna_number or 0, name, str(epoch)) / 2**63
            for name in ("attacker", "matching")
        ]
        return {"attacker_auc_validation": 0.5 + draw[0] / 2, "matching_auc_validation": 0.5 + draw[1] / 2}

    def rows(plan: TrialPlan, context: TrialContext, status: Any, epoch: int, **more: Any) -> Outcome:
        judged: Mapping[str, Any] = figures(plan, epoch)
        epochs = [
            {"trial_id": plan.trial_id, "epoch": number, "stage": "joint", "total_loss": 0.5, "seconds": 0.0}
            for number in range(1, epoch + 1)
        ]
        epochs[-1] |= judged | {"judging_seconds": 0.0}
        about = {"trial_id": plan.trial_id, "attribute": "gender", "vantage": "attack"}
        attacks = [
            {
                **about,
                "split": split,
                "attacker": name,
                "reads": "single_release",
                "releases": 1,
                "train_images": 9,
                "setting": "1",
                "folded_auc": 0.6,
            }
            for split in ("validation", "test")
            for name in ("logistic_regression", "rbf_svm", "mlp")
        ]
        matches = [
            {"trial_id": plan.trial_id, "split": split, "matcher": name, "negatives": negatives, "auc": 0.7}
            for split in ("validation", "test")
            for name in ("siamese", "whitened_cosine")
            for negatives in ("any", "same_gender")
        ]
        trial = trial_row(plan, context.spec, status, **judged, epochs=epoch, **more)
        return Outcome(trial, epochs, attacks, matches)

    def nothing(plan: TrialPlan, context: TrialContext) -> Generator[EpochReport | Outcome]:
        rungs = judged_epochs(context.spec)
        for epoch in range(1, EPOCHS + 1):
            record = EpochRecord(epoch, "joint", None, None, None, 0.5, None, None, 0, 0.0)
            is_rung = epoch in rungs
            yield EpochReport(record, epoch, rows(plan, context, "stopped_early", epoch) if is_rung else None)
        config = replace(training_config(plan, context.spec), channel=ChannelConfig())
        folder = f"checkpoints/{plan.trial_id}"
        checkpoint.save(
            Anonymizer(config, (1, 16, 16)), Path(context.directory, folder), {"trial_id": plan.trial_id}
        )
        yield rows(plan, context, "complete", EPOCHS, checkpoint=folder)

    class Nothing(AIATrainable):
        def _start(self, config: Mapping[str, Any]) -> None:
            torch.set_num_threads(1)
            self._progress = nothing(TrialPlan.from_config(config), self._context)

    return Nothing


def resident_mib() -> float:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measured(trials: int) -> dict[str, float]:
    """`run_study_of` in a process of its own."""
    ran = subprocess.run(
        [sys.executable, __file__, "--of", str(trials)], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(ran.stdout.splitlines()[-1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=at_least(50), nargs="+", default=[1000, 5000])
    parser.add_argument("--of", type=at_least(50), help="run one study of so many trials, in this process")
    given = parser.parse_args()
    if given.of:
        with tempfile.TemporaryDirectory() as directory:
            print(json.dumps(run_study_of(given.of, Path(directory))))
        return
    found = {}
    for trials in given.sizes:
        found[trials] = measured(trials)
        print(
            f"{trials} trials: " + ", ".join(f"{name} {value:.3g}" for name, value in found[trials].items())
        )
    print("RESULT " + " ".join(f"ms_per_trial_{n}={row['ms_per_trial']:.1f}" for n, row in found.items()))


if __name__ == "__main__":
    main()
