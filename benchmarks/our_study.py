"""Runs our study with the recipe of plain.py, and optionally with one cause of its speed switched off.

`against_plain.py` runs it in a process of its own. VARIANT says what is switched off (none, own_stage1,
new_workers, decoding or all); `aia-study` takes the arguments after it:

    python benchmarks/our_study.py VARIANT launch SPEC ...
"""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from aia_models.config import TrainingConfig
from aia_models.data.splits import SplitFaces
from study.spec.spec import StudySpec
from study.trial import rows, run, training_config
from study.trial.plan import TrialPlan
from study.tune import tune_run
from study.tune.trainable import AIATrainable


def recipe_of_plain(plan: TrialPlan, spec: StudySpec) -> TrainingConfig:
    """The product's training, but adversary and matcher read g as it is and classes weigh as they come."""
    config = training_config.training_config(plan, spec)
    adversary = replace(config.adversary, class_balanced=False, standardise=False)
    return replace(config, adversary=adversary, matcher=replace(config.matcher, standardise=False))


def decoded(spec: StudySpec) -> SplitFaces:
    """All images, each decoded now, as `prepare` does it."""
    from aia_models.data.prepared.prepare import open_prepared, prepare
    from aia_models.data.splits import split_faces

    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(
            spec.dataset, image_side=spec.image_side, attributes=spec.attributes,
            positive=spec.positive, cache=Path(folder),
        )  # fmt: skip
        return split_faces(open_prepared(prepared), spec.attributes, spec.split_seed)


def trainable(variant: str) -> type[AIATrainable]:
    """The product's trainable on the recipe of plain.py, with what `variant` names switched off in its process."""

    class Measured(AIATrainable):
        def _start(self, config: Mapping[str, Any]) -> None:
            for module in (run, rows):
                mock.patch.object(module, "training_config", recipe_of_plain).start()
            if variant in ("own_stage1", "all"):
                own = config["trial_id"]
                mock.patch.object(run, "stage1_key", return_value=own).start()
            if variant == "decoding":
                mock.patch.object(self, "_load_faces", cache(lambda: decoded(self._context.spec))).start()
            super()._start(config)

    return Measured


def switch_off(variant: str) -> None:
    """Changes what runs trials in this process; AttributeError where it has no longer what is changed."""
    mock.patch.object(tune_run, "AIATrainable", trainable(variant)).start()
    if variant in ("new_workers", "all"):
        configure = tune_run.tune.TuneConfig

        def without_reuse(**given: Any) -> Any:
            given["reuse_actors"] = False
            return configure(**given)

        mock.patch.object(tune_run.tune, "TuneConfig", without_reuse).start()


def main() -> None:
    """Command line."""
    from study import cli

    variant, *arguments = sys.argv[1:]
    switch_off(variant)
    sys.exit(cli.run(arguments))


if __name__ == "__main__":
    main()
