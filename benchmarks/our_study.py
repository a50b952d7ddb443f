"""Our study with one of the things switched off that make it faster than the plain one.

Run by `against_plain.py`, in a process of its own; what follows VARIANT is what `aia-study` takes:

    python benchmarks/our_study.py VARIANT launch SPEC ...
"""

import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock


def own_stage1() -> type:
    """The product's trainable, whose trials share no stage 1."""
    from study import trial
    from study.plan import TrialPlan
    from study.searcher import PLAN
    from study.trainable import AIATrainable

    class OwnStage1(AIATrainable):
        def _start(self, config: Mapping[str, Any]) -> None:
            plan = TrialPlan.from_json(config[PLAN])
            mock.patch.object(trial, "stage1_key", return_value=plan.trial_id).start()
            super()._start(config)

    return OwnStage1


def decoding() -> type:
    """The product's trainable, whose trials each decode all images, as `prepare` does."""
    from aia_models.data.prepare import open_prepared, prepare
    from aia_models.data.splits import SplitFaces, split_faces
    from study.trainable import AIATrainable

    class Decoding(AIATrainable):
        def _start(self, config: Mapping[str, Any]) -> None:
            mock.patch.object(self, "_load_faces", cache(self._decoded)).start()
            super()._start(config)

        def _decoded(self) -> SplitFaces:
            spec = self._context.spec
            with tempfile.TemporaryDirectory() as folder:
                prepared = prepare(
                    spec.dataset, image_side=spec.image_side, attribute=spec.attributes[0],
                    positive=spec.positive, cache=Path(folder),
                )  # fmt: skip
                return split_faces(open_prepared(prepared), spec.attributes, spec.split_seed)

    return Decoding


def switch_off(variant: str) -> None:
    """Changes what runs trials in this process; AttributeError where it has no longer what is changed."""
    from study import fit

    if variant in ("own_stage1", "all"):
        mock.patch.object(fit, "AIATrainable", own_stage1()).start()
    if variant == "decoding":
        mock.patch.object(fit, "AIATrainable", decoding()).start()
    if variant in ("new_workers", "all"):
        configure = fit.tune.TuneConfig

        def without_reuse(**given: Any) -> Any:
            given["reuse_actors"] = False
            return configure(**given)

        mock.patch.object(fit.tune, "TuneConfig", without_reuse).start()


def main() -> None:
    """Command line."""
    from study.cli import run

    variant, *arguments = sys.argv[1:]
    switch_off(variant)
    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
