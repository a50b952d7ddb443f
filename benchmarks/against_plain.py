"""Compares a whole study of ours with a plain study: plain.py under Ray Tune with Optuna's default search.

Both search α and β of one architecture with the same number of trials, the same people and folder of images,
the same first two designs, and Ray's default of one core per trial; no trial of ours has more epochs. Each
study is timed as a user would, from nothing to its last figure, including imports and Ray's start; ours also
prepares the images and writes tables and the checkpoints of complete trials. Both train one recipe
(our_study.py): adversary and matcher read unstandardised representations, and classes are not balanced, which
differs from our defaults. Ours also differs from its defaults in that it trains in bfloat16, and continues
one trial in four (one in 3.2 with `--full`) after two joint epochs. Plain does neither. `--within SHARE` then
runs our study again with as many trials as should fit into that share of plain's time; `--causes` runs it
again with one cause of its speed switched off at a time.

Our judge also judges the representations of the plain trials, so that both fronts have comparable figures.
Fronts are computed on validation figures, which led the search; the output also states their figures on test.

    python benchmarks/against_plain.py                     # small decoder: about 11 minutes on 2 cores
    python benchmarks/against_plain.py --full --causes     # the paper's networks: hours

On the RESULT line `ratio` is plain's seconds over ours (median over the seeds); `hypervolume_ours` and
`hypervolume_plain` are the hypervolumes of the fronts on validation (means over the seeds).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import moocore
import numpy as np
import plain
import polars as pl
from shared.arguments import at_least
from shared.drawn_folder import drawn_folder

from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.data.splits import SPLITS, SplitFaces, split_faces, split_masks
from aia_models.judging.judge import judge
from aia_models.judging.released import ReleasedFaces
from analysis.tables.objectives import SEARCH_OBJECTIVES
from study.spec.files import load_spec
from study.spec.spec import searched_space

SMALL = plain.Settings(
    image_side=32, decoder=(32, 16), learning_rate=2e-3, autoencoder_epochs=6, heads_epochs=3, joint_epochs=20
)
FULL = plain.Settings(
    image_side=32,
    decoder=(256, 128),
    learning_rate=2e-3,
    autoencoder_epochs=6,
    heads_epochs=3,
    joint_epochs=20,
)
HERE = Path(__file__).parent
VARIANTS = {  # what is switched off: the variant of our_study.py, further settings
    "shared stage 1": ("own_stage1", ()),
    "early stopping": ("none", ("early_stopping.rule=none",)),
    "reuse of workers": ("new_workers", ()),
    "prepared images": ("decoding", ()),
    "channels-last layout": ("none", ("resources.memory_format=contiguous",)),
    "bfloat16": ("none", ("resources.dtype=float32",)),
    "all of these but the images": (
        "all",
        ("early_stopping.rule=none", "resources.memory_format=contiguous", "resources.dtype=float32"),
    ),
}


def our_spec(trials: int, settings: plain.Settings, reduction_factor: float) -> str:
    """The same study for `aia-study launch`."""
    return f"""
space = "alpha-beta"
trials = {trials}
baselines = []
image_side = {settings.image_side}
[fixed]
channel = "none"
erasure = false
adversary = "cnn"
decoder_width = {settings.decoder[0]}
learning_rate = {settings.learning_rate}
[training]
stage1_epochs = {settings.autoencoder_epochs}
heads_epochs = {settings.heads_epochs}
joint_epochs = {settings.joint_epochs}
[early_stopping]
rule = "mo_asha"
reduction_factor = {reduction_factor}
[resources]
dtype = "bfloat16"
"""


def timed(command: Sequence[str]) -> float:
    """Wall seconds of a command; what it said last ends this program where it fails."""
    started = time.perf_counter()
    ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    if ran.returncode:
        sys.exit(f"{' '.join(command)} failed with {ran.returncode}:\n{ran.stderr[-2000:]}")
    return seconds


def some_people(folder: Path, people: int) -> None:
    """Leaves the first `people` people in the folder's labels.csv."""
    header, *rows = (folder / "labels.csv").read_text().splitlines()
    kept = set(list(dict.fromkeys(row.split(",")[1] for row in rows))[:people])
    (folder / "labels.csv").write_text("\n".join([header, *(r for r in rows if r.split(",")[1] in kept), ""]))


def judged_alike(representations: np.ndarray, rows: dict[str, np.ndarray], faces: SplitFaces) -> list[float]:
    """Our judge's attacker and matching AUC of plain representations `[n, 12, side, side]`, on validation and test."""
    released = {
        split: ReleasedFaces(
            representations[rows[split]].reshape(1, len(rows[split]), -1),
            getattr(faces, split).identity,
            {"gender": getattr(faces, split).attribute("gender")},
        )
        for split in SPLITS
    }
    _, channels, height, width = representations.shape
    judgement = judge(released, (channels, height, width), 0)
    return [
        figure
        for split in ("validation", "test")
        for figure in (judgement.strongest_attack(split).folded_auc, judgement.best_match(split).auc)
    ]


def plain_points(folder: Path, side: int, kept: Path) -> np.ndarray:
    """A row per plain trial: attacker and matching AUC on validation, then on test."""
    prepared = prepare(f"folder:{folder}", image_side=side, attributes=("gender",), positive=None, cache=kept)
    dataset = open_prepared(prepared)
    faces = split_faces(dataset, ("gender",), 0)
    rows = {split: np.flatnonzero(mask) for split, mask in split_masks(dataset, 0).items()}
    return np.array([judged_alike(np.load(path), rows, faces) for path in sorted(kept.glob("*.npy"))])


def hypervolumes(points: np.ndarray) -> tuple[float, float]:
    """Of the front on validation, on validation and on test, up to the objectives' declared reference.

    `points` are attacker and matching AUC on validation, then on test, `[n, 4]`.
    """
    signs = np.array([objective.sign for objective in SEARCH_OBJECTIVES])
    reference = np.array([objective.worst_cost for objective in SEARCH_OBJECTIVES])
    on_validation, on_test = points[:, :2] * signs, points[:, 2:] * signs
    front = moocore.is_nondominated(on_validation, keep_weakly=True)
    volumes = [moocore.hypervolume(costs[front], ref=reference) for costs in (on_validation, on_test)]
    return float(volumes[0]), float(volumes[1])


@dataclass(frozen=True)
class Ran:
    """A study that ran: wall seconds, and the hypervolume of its front on validation and of the same trials on test."""

    seconds: float
    validation: float
    test: float

    def __str__(self) -> str:
        volumes = f"{self.validation:.4f} on validation, {self.test:.4f} on test"
        return f"{self.seconds:.0f} s; hypervolume {volumes}"


@dataclass(frozen=True)
class Pair:
    """The two studies of one seed, each run in a place of its own: no run finds what another prepared."""

    folder: Path
    settings: plain.Settings
    trials: int
    reduction_factor: float

    def plainly(self, work: Path) -> Ran:
        """The plain study."""
        work.mkdir()
        (work / "spec.toml").write_text(self._spec())
        first = searched_space(load_spec(str(work / "spec.toml"))).known_designs()
        told = json.dumps({"settings": asdict(self.settings), "trials": self.trials, "first": first})
        script = str(HERE / "plain_study.py")
        seconds = timed([sys.executable, script, str(self.folder), str(work), told])
        points = plain_points(self.folder, self.settings.image_side, work)
        if len(points) != self.trials:
            sys.exit(f"{work}: the plain study left {len(points)} representations of {self.trials} trials")
        return Ran(seconds, *hypervolumes(points))

    def ours(self, work: Path, variant: str = "none", more: Sequence[str] = ()) -> Ran:
        """Our study, with a `variant` of our_study.py and settings of the spec."""
        work.mkdir()
        spec = work / "spec.toml"
        spec.write_text(self._spec())
        places = ["--dataset", f"folder:{self.folder}", "--storage", str(work), "--name", "ours"]
        sets = [part for setting in (f"seed={self.settings.seed}", *more) for part in ("--set", setting)]
        script = str(HERE / "our_study.py")
        seconds = timed([sys.executable, script, variant, "launch", str(spec), *places, *sets])
        return Ran(seconds, *self._our_hypervolumes(work / "ours", variant, more))

    def _spec(self) -> str:
        return our_spec(self.trials, self.settings, self.reduction_factor)

    def _our_hypervolumes(self, study: Path, variant: str, more: Sequence[str]) -> tuple[float, float]:
        trials = pl.read_parquet(study / "results" / "trials" / "*.parquet")
        complete, stopped = (trials.filter(status=status) for status in ("complete", "stopped_early"))
        if trials.height != self.trials or len(complete) + len(stopped) != self.trials:
            sys.exit(f"{study}: {trials['status'].value_counts().rows()} are not {self.trials} judged trials")
        if variant in ("own_stage1", "all") and trials["stage1_reused"].any():
            sys.exit(f"{study}: stage 1 was shared, though that is switched off")
        if "early_stopping.rule=none" in more and len(stopped):
            sys.exit(f"{study}: trials were stopped, though that is switched off")
        print(f"  {len(complete)} complete, {len(stopped)} stopped early")
        columns = [
            f"{figure}_auc_{split}" for split in ("validation", "test") for figure in ("attacker", "matching")
        ]
        return hypervolumes(complete.select(columns).to_numpy())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="the paper's networks")
    parser.add_argument("--trials", type=at_least(2), default=24)
    parser.add_argument("--people", type=at_least(40), default=400, help="of the 500 drawn people")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=[2], help="one pair of studies each")
    parser.add_argument(
        "--within",
        type=float,
        metavar="SHARE",
        help="then ours again, of as many trials as fit into this share of plain's time",
    )
    parser.add_argument(
        "--causes", action="store_true", help="then ours again with one cause switched off at a time"
    )
    given = parser.parse_args()
    settings, reduction_factor = (FULL, 3.2) if given.full else (SMALL, 4)
    print(asdict(settings))
    pairs: list[tuple[Ran, Ran]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "faces"
        folder.mkdir()
        some_people(drawn_folder(folder), given.people)
        for seed in given.seeds:
            pair = Pair(folder, replace(settings, seed=seed), given.trials, reduction_factor)
            ours = pair.ours(Path(name) / f"ours-{seed}")
            print(f"seed {seed}, ours: {ours}", flush=True)
            plainly = pair.plainly(Path(name) / f"plain-{seed}")
            print(
                f"seed {seed}, plain: {plainly}; plain / ours {plainly.seconds / ours.seconds:.2f}",
                flush=True,
            )
            pairs.append((ours, plainly))
            if given.within:
                fitting = max(1, int(given.within * given.trials * plainly.seconds / ours.seconds))
                longer = replace(pair, trials=fitting).ours(Path(name) / f"longer-{seed}")
                print(
                    f"seed {seed}, ours with {fitting} trials, as many as should fit into {given.within:g} of plain's "
                    f"time: {longer}",
                    flush=True,
                )
            for place, (cause, (variant, more)) in enumerate(VARIANTS.items() if given.causes else ()):
                without = pair.ours(Path(name) / f"causes-{seed}-{place}", variant, more)
                print(
                    f"seed {seed}, ours without {cause}: {without}; a factor of {without.seconds / ours.seconds:.2f}",
                    flush=True,
                )
    ratio = statistics.median(plainly.seconds / ours.seconds for ours, plainly in pairs)
    mine, theirs = (statistics.mean(ran[side].validation for ran in pairs) for side in (0, 1))
    print(f"RESULT ratio={ratio:.2f} hypervolume_ours={mine:.4f} hypervolume_plain={theirs:.4f}")


if __name__ == "__main__":
    main()
