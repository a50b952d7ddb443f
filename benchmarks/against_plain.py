"""A whole study against the plain one: plain.py under Ray Tune with Optuna's search at its defaults, then ours.

Both run the same trials over α and β of one architecture, of the same epochs at most, on the same people of the same
folder of images, with Ray's default of one core per trial. Each is timed as a user would: from nothing to its last
figure, imports and Ray's start included; ours also prepares the images, and writes tables and complete trials'
checkpoints. Ours trains in bfloat16 and stops trials early, the plain one does neither. With `--causes` our study
then runs again with one cause of its speed switched off at a time. The representations of the plain trials are judged
by our judge, so that both fronts have figures of one kind, on people that neither trained on.

    python benchmarks/against_plain.py                     # small decoder: about 12 minutes on 2 cores
    python benchmarks/against_plain.py --full --causes     # the paper's networks: hours
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import moocore
import numpy as np
import plain
import polars as pl
from arguments import at_least
from drawn_folder import drawn_folder

from aia_models.data.prepare import open_prepared, prepare
from aia_models.data.splits import SplitFaces, split_faces, split_masks
from aia_models.judging import judge
from aia_models.metrics import folded
from aia_models.released import ReleasedFaces
from study.objectives import SEARCH_OBJECTIVES

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
# One rung, at a quarter of the epochs: a front of 24 trials needs some that are complete.
GRACE_EPOCHS, REDUCTION_FACTOR = 5, 4
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


def our_spec(trials: int, settings: plain.Settings) -> str:
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
grace_epochs = {GRACE_EPOCHS}
reduction_factor = {REDUCTION_FACTOR:.1f}
[resources]
dtype = "bfloat16"
"""


def timed(command: Sequence[str]) -> tuple[float, str]:
    """Wall seconds and standard output of a command that must succeed."""
    started = time.perf_counter()
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return time.perf_counter() - started, ran.stdout


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
        for split in ("attack", "validation", "test")
    }
    _, channels, height, width = representations.shape
    judgement = judge(released, (channels, height, width), "cheap", 0)
    return [
        figure
        for split in ("validation", "test")
        for figure in (folded(judgement.strongest_attack(split).auc), judgement.best_match(split).auc)
    ]


def plain_points(folder: Path, side: int, kept: Path) -> np.ndarray:
    """A row per plain trial: attacker and matching AUC on validation, then on test."""
    prepared = prepare(f"folder:{folder}", image_side=side, attribute="gender", positive=None, cache=kept)
    dataset = open_prepared(prepared)
    faces = split_faces(dataset, ("gender",), 0)
    rows = {split: np.flatnonzero(mask) for split, mask in split_masks(dataset, 0).items()}
    return np.array([judged_alike(np.load(path), rows, faces) for path in sorted(kept.glob("*.npy"))])


def our_points(storage: Path) -> tuple[np.ndarray, int]:
    """The same of our complete trials, and how many there are of any kind."""
    trials = pl.read_parquet(storage / "ours" / "results" / "trials" / "*.parquet")
    columns = [
        f"{figure}_auc_{split}" for split in ("validation", "test") for figure in ("attacker", "matching")
    ]
    return trials.filter(status="complete").select(columns).to_numpy(), trials.height


def hypervolume(points: np.ndarray) -> float:
    """Of attacker and matching AUC `[n, 2]`, up to the objectives' declared reference."""
    signs = np.array([objective.sign for objective in SEARCH_OBJECTIVES])
    reference = np.array([objective.worst_cost for objective in SEARCH_OBJECTIVES])
    return float(moocore.hypervolume(points * signs, ref=reference))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="the paper's networks")
    parser.add_argument("--trials", type=at_least(2), default=24)
    parser.add_argument("--people", type=at_least(40), default=600, help="of the 600 drawn people")
    parser.add_argument(
        "--causes", action="store_true", help="then ours again with one cause switched off at a time"
    )
    given = parser.parse_args()
    settings = FULL if given.full else SMALL
    print(asdict(settings))
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "faces").mkdir()
        folder, spec, kept = drawn_folder(work / "faces"), work / "alpha-beta.toml", work / "plain"
        some_people(folder, given.people)
        spec.write_text(our_spec(given.trials, settings))
        kept.mkdir()
        plainly = [str(HERE / "plain_study.py"), str(folder), str(kept), str(given.trials)]
        theirs, _ = timed([sys.executable, *plainly, json.dumps(asdict(settings))])
        points = plain_points(folder, settings.image_side, kept)
        theirs_volume = hypervolume(points[:, :2])
        print(
            f"plain: {given.trials} trials in {theirs:.0f} s; hypervolume {theirs_volume:.4f} on validation,"
            f" {hypervolume(points[:, 2:]):.4f} on test"
        )

        def ours(place: int, variant: str, more: Sequence[str]) -> float:
            # Storage of its own: no earlier run has prepared its images.
            storage = work / f"storage-{place}"
            launch = [
                "launch",
                str(spec),
                "--dataset",
                f"folder:{folder}",
                "--storage",
                str(storage),
                "--name",
                "ours",
            ]
            sets = [part for setting in more for part in ("--set", setting)]
            mine, _ = timed([sys.executable, str(HERE / "our_study.py"), variant, *launch, *sets])
            found, there = our_points(storage)
            volumes.append(hypervolume(found[:, :2]))
            print(
                f"  {there} trials in {mine:.0f} s, {len(found)} complete; hypervolume {volumes[-1]:.4f} on validation,"
                f" {hypervolume(found[:, 2:]):.4f} on test; plain / ours {theirs / mine:.2f}"
            )
            return mine

        volumes: list[float] = []
        print("ours:")
        mine = ours(0, "none", ())
        for place, (cause, (variant, more)) in enumerate(VARIANTS.items() if given.causes else (), start=1):
            print(f"ours without {cause}:")
            without = ours(place, variant, more)
            print(f"  {cause}: a factor of {without / mine:.2f}")
    print(
        f"RESULT ratio={theirs / mine:.2f} hypervolume_ours={volumes[0]:.4f} hypervolume_plain={theirs_volume:.4f}"
    )


if __name__ == "__main__":
    main()
