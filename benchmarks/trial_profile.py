"""Divides the time of one trial into phases: start, data, stage 1, stage 2, judging, writing.

The benchmark runs the default design of a spec in a new process, as a worker's first trial, by the product's
own code, and measures each phase's calls. The whole trial is timed from outside, from before the process
starts until the rows are on disk. Computing the in-loop adversary's and matcher's AUCs after each epoch
counts as training, because they belong to its record.

    python benchmarks/trial_profile.py
    python benchmarks/trial_profile.py --spec quick --threads 2

On the RESULT line `unaccounted_share` is the share of the whole time that belongs to no phase.
`judging_share` is the share of judging in the time without the start, because a worker starts once for many
trials.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.arguments import at_least

from aia_models.errors import AIAError
from search_spaces.errors import SpaceError
from study.errors import StudyError
from study.storage.study_storage import StudyStorage

if TYPE_CHECKING:
    from study.trial.plan import TrialPlan
    from study.trial.run import TrialContext

PHASES = ("start", "data", "stage 1", "stage 2", "judging", "writing")
STAGES = {"autoencoder": "stage 1", "heads": "stage 1", "joint": "stage 2"}


def timed_trial(context: "TrialContext", plan: "TrialPlan", threads: int, spawned: float) -> dict[str, float]:
    """Seconds of each phase of one trial, from its process's start to its rows on disk."""
    from aia_models.config import ComputeConfig
    from aia_models.training.trainer import Trainer
    from study.storage.results_store import ResultsStore
    from study.trial import run, shared_stage1

    seconds: dict[str, float] = defaultdict(float)

    def clock(phase: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def timed(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*given, **named)
            finally:
                seconds[phase] += time.perf_counter() - started

        return timed

    run.Trainer = clock("data", Trainer)  # type: ignore[assignment,misc]
    for name in ("fit_anonymizer", "release_faces", "judge"):
        setattr(run, name, clock("judging", getattr(run, name)))
    run.checkpoint.save = clock("writing", run.checkpoint.save)
    run.SavedTraining.save = clock("writing", run.SavedTraining.save)
    shared_stage1.save = clock("writing", shared_stage1.save)
    seconds["start"] = time.time() - spawned
    load_faces, compute = clock("data", context.faces), ComputeConfig(threads=threads)
    for event in run.run_trial(plan, context, load_faces, compute):
        if isinstance(event, run.EpochReport):
            seconds[STAGES[event.record.stage]] += event.record.seconds
            continue
        if isinstance(event, run.NoStorage):
            raise OSError(event.reason)
        if event.trial["status"] != "complete":
            raise RuntimeError(f"the trial is {event.trial['status']}: {event.trial['error']}")
        with ResultsStore(StudyStorage(Path(context.directory))) as store:
            clock("writing", store.append)(event)
            clock("writing", store.flush)()
    return dict(seconds)


def profile(spec_name: str, dataset: str, threads: int, repeats: int) -> list[dict[str, float]]:
    """One dict of seconds per repeat, `whole` beside the phases."""
    from search_spaces.hyperparameters import resolve
    from study.lifecycle.study_directory import create_study
    from study.spec.files import load_spec, with_values
    from study.spec.spec import searched_space, with_defaults
    from study.trial.plan import TrialPlan
    from study.trial.run import TrialContext

    runs = []
    with tempfile.TemporaryDirectory() as storage:
        spec = with_defaults(with_values(load_spec(spec_name), {"dataset": dataset, "name": "profile"}))
        study = create_study(spec, Path(storage))
        values = resolve(searched_space(spec).defaults(), spec.fixed)
        for repeat in range(repeats):
            # A place of its own: no repeat takes another's stage 1.
            own = study.storage.make_folder(f"repeat-{repeat}")
            context = TrialContext(study.spec, str(study.prepared), str(own))
            plan = TrialPlan(f"trial-{repeat:05}", repeat, "search", "aia", values, study.spec.seed)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:
                wall, started = time.time(), time.perf_counter()
                seconds = worker.submit(timed_trial, context, plan, threads, wall).result()
                runs.append(seconds | {"whole": time.perf_counter() - started})
    return runs


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spec", default="alpha-beta")
    parser.add_argument("--dataset", default="synthetic")
    parser.add_argument("--threads", type=at_least(1), default=1)
    parser.add_argument("--repeats", type=at_least(1), default=3)
    given = parser.parse_args()
    try:
        runs = profile(given.spec, given.dataset, given.threads, given.repeats)
    except (AIAError, SpaceError, StudyError) as error:
        parser.error(str(error))
    medians = {name: statistics.median(run[name] for run in runs) for name in (*PHASES, "whole")}
    print(
        f"{given.spec} on {given.dataset}, {given.threads} threads, {len(runs)} runs: median, lowest, highest"
    )
    for name, median in medians.items():
        all_seconds = [run[name] for run in runs]
        share = median / medians["whole"]
        print(f"{name:10} {median:8.2f} s {min(all_seconds):8.2f} {max(all_seconds):8.2f} {share:7.1%}")
    unaccounted = [1 - sum(run[phase] for phase in PHASES) / run["whole"] for run in runs]
    judging = [run["judging"] / (run["whole"] - run["start"]) for run in runs]
    print(
        f"RESULT unaccounted_share={statistics.median(unaccounted):.4f} "
        f"judging_share={statistics.median(judging):.4f}"
    )


if __name__ == "__main__":
    main()
