"""Measures the time and disk space that TensorBoard's event files cost the driver of a study.

    python benchmarks/loggers.py                 # 200 trials of 29 epochs: seconds

One process calls the logger as Ray Tune does for each epoch of each trial; nothing is trained. The output
states the driver's ms and the bytes per epoch, and both per trial.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from ray.air.constants import TRAINING_ITERATION
from rich.console import Console
from shared.arguments import at_least

from search_spaces.hyperparameters import resolve
from study.spec.files import load_spec, with_settings
from study.spec.spec import searched_space, with_defaults
from study.trial.plan import TrialPlan
from study.tune.loggers import study_loggers

FIGURES = (
    "reconstruction_loss",
    "adversary_loss",
    "matcher_loss",
    "total_loss",
    "adversary_auc_validation",
    "matcher_auc_validation",
)


class StandIn(SimpleNamespace):
    """A trial as far as TensorBoard's logger looks at one; Ray's loggers use trials as keys."""

    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=at_least(1), default=200)
    options = parser.parse_args()
    spec = with_defaults(with_settings(load_spec("alpha-beta"), ["loggers=['tensorboard']"]))
    training = spec.training
    epochs = training.stage1_epochs + training.heads_epochs + training.joint_epochs
    results = [
        {TRAINING_ITERATION: epoch, **dict.fromkeys(FIGURES, 1 / epoch)} for epoch in range(1, epochs + 1)
    ]
    results.append(
        {TRAINING_ITERATION: epochs, "attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    )
    values = resolve(searched_space(spec).defaults(), spec.fixed)
    with TemporaryDirectory() as folder:
        (logger,) = study_loggers(spec, Path(folder), Console())
        started = time.perf_counter()
        for number in range(options.trials):
            plan = TrialPlan(f"trial-{number:05d}", number, "search", "aia", values, 0)
            config = plan.to_config()
            trial: Any = StandIn(trial_id=str(number), config=config, evaluated_params=config)
            logger.on_trial_start(0, [], trial)
            for result in results:
                logger.on_trial_result(0, [], trial, result)
            logger.on_trial_complete(0, [], trial)
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in Path(folder).rglob("events.*"))
    logged = options.trials * epochs
    print(f"{options.trials} trials of {epochs} epochs, {len(FIGURES)} figures each and both objectives once")
    print(
        f"driver: {1e3 * seconds / logged:.2f} ms per epoch, {1e3 * seconds / options.trials:.1f} ms per trial"
    )
    print(f"files: {size / logged:.0f} bytes per epoch, {size / options.trials / 1024:.1f} KiB per trial")


if __name__ == "__main__":
    main()
