"""Times one whole judgement: all attackers and matchers on the paper's map, and on a compact code.

The map has 768 values (the paper's encoder on 32x32 images) behind erasure and noise of 0.03. The code has 24:
linear discriminants of the pixels, erased, with noise of 0.4 standard deviations. The map's encoder is trained
once with the budget of the spec `alpha-beta`, as one trial of its search. A judgement is timed from the release
of all faces to its last figure; each is repeated after one that does not count, and the median counts.

    python benchmarks/judge_cost.py
    python benchmarks/judge_cost.py --dataset folder:PATH --threads 2

On the RESULT line `full_seconds` are the seconds of one judgement of the map, `code_seconds` those of the code,
and `search_share` is the map's judgement over training and judgement together. The lines above divide the
seconds by attacker; "all else" are further attacks, matchers and intervals.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs also where the project is not installed

import torch
from shared.arguments import at_least
from shared.designs import FisherDesign
from threadpoolctl import threadpool_limits

from aia_models.config import ChannelConfig, ComputeConfig, TrainingConfig
from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import SplitFaces, split_faces
from aia_models.errors import AIAError
from aia_models.judging.attacks import ENSEMBLE
from aia_models.judging.judge import Judgement, judge
from aia_models.judging.released import ReleasedFaces, release_faces
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import Trainer

SPEC = "alpha-beta"
CHANNEL = ChannelConfig("noise", noise_sd=0.03, erasure=True)
CODE_COORDINATES, CODE_NOISE_SD = 24, 0.4
SEED = 0

Release = Callable[[], Mapping[str, ReleasedFaces]]


def trial_config() -> TrainingConfig:
    """The training of the default design of the spec, with the spec's budget."""
    from search_spaces.hyperparameters import resolve
    from study.spec.files import load_spec
    from study.spec.spec import searched_space, with_defaults
    from study.trial.plan import TrialPlan
    from study.trial.training_config import training_config

    spec = with_defaults(load_spec(SPEC))
    values = resolve(searched_space(spec).defaults(), spec.fixed)
    return training_config(TrialPlan("trial-00000", 0, "search", "aia", values, spec.seed), spec)


def trained(config: TrainingConfig, faces: SplitFaces, threads: int) -> tuple[Anonymizer, float]:
    """Return the anonymizer after one training, and the seconds that the training took."""
    started = time.perf_counter()
    trainer = Trainer(config, ComputeConfig(threads=threads), faces)
    list(trainer.run())
    seconds = time.perf_counter() - started
    return fit_anonymizer(trainer.networks, config, faces), seconds


def timed_judgements(
    release: Release, map_shape: tuple[int, int, int], repeats: int
) -> list[tuple[float, Judgement]]:
    """Seconds and figures of each of `repeats` judgements after a first one that does not count."""
    runs = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        judgement = judge(release(), map_shape, SEED)
        runs.append((time.perf_counter() - started, judgement))
    return runs[1:]


def seconds_by_attacker(judgement: Judgement) -> dict[str, float]:
    """Seconds that each attacker took for all vantages and attributes; the rank ensemble fits nothing itself."""
    seconds: dict[str, float] = {}
    for attack in judgement.attacks:
        if attack.split == "validation" and attack.attacker != ENSEMBLE:
            seconds[attack.attacker] = seconds.get(attack.attacker, 0.0) + attack.fit_seconds
    return seconds


def reported(name: str, runs: list[tuple[float, Judgement]]) -> float:
    """Prints the seconds of a design's judgements, whole and by attacker; returns the median of the whole."""
    whole = [seconds for seconds, _ in runs]
    median = statistics.median(whole)
    print(f"{name}: median {median:.2f} s ({min(whole):.2f} to {max(whole):.2f})")
    parts = [seconds_by_attacker(judgement) for _, judgement in runs]
    medians = {attacker: statistics.median(part[attacker] for part in parts) for attacker in parts[0]}
    medians["all else"] = statistics.median(
        seconds - sum(part.values()) for seconds, part in zip(whole, parts, strict=True)
    )
    print("    seconds: " + ", ".join(f"{part} {seconds:.2f}" for part, seconds in medians.items()))
    return median


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="synthetic", metavar="KIND:PATH")
    parser.add_argument("--side", type=at_least(8), default=32, help="height and width of the images")
    parser.add_argument("--threads", type=at_least(1), default=2)
    parser.add_argument("--repeats", type=at_least(1), default=3, help="an odd number")
    given = parser.parse_args()
    if given.repeats % 2 == 0:
        parser.error(f"--repeats {given.repeats}: give an odd number, whose median is one of the runs")
    torch.set_num_threads(given.threads)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(given.threads):
        try:
            prepared = prepare(
                given.dataset,
                image_side=given.side,
                attributes=("gender",),
                positive=None,
                cache=Path(folder),
            )
            faces = split_faces(open_prepared(prepared), ("gender",), SEED)
        except AIAError as error:
            parser.error(str(error))
        anonymizer, training = trained(replace(trial_config(), channel=CHANNEL), faces, given.threads)
        code, _ = trained(FisherDesign(CODE_COORDINATES, CODE_NOISE_SD).config(0, SEED), faces, given.threads)
        full_runs, code_runs = (
            timed_judgements(
                lambda design=design: release_faces(design, faces, SEED),
                design.encoder.map_shape,
                given.repeats,
            )
            for design in (anonymizer, code)
        )
    images = {split: len(getattr(faces, split)) for split in ("train", "attack", "validation", "test")}
    print(f"torch {torch.__version__}, {given.threads} threads, {given.repeats} runs, images {images}")
    print(f"one training of {SPEC}: {training:.2f} s")
    full = reported(f"map of {len(anonymizer.channel.low)} values", full_runs)
    compact = reported(f"code of {len(code.channel.low)} values", code_runs)
    print(
        f"RESULT full_seconds={full:.2f} code_seconds={compact:.2f} search_share={full / (training + full):.3f}"
    )


if __name__ == "__main__":
    main()
