"""Selected rows of an image array equal a copy but make none, and trials of a node share their memory."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from aia_models.data.input_rows import InputRows
from aia_models.data.prepared.prepare import PREPARATION_VERSION, open_prepared, prepare
from aia_models.data.splits import split_faces
from aia_models.training.device_faces import DeviceFaces

WHOLE = np.random.default_rng(0).integers(0, 256, (20, 1, 8, 8), dtype=np.uint8)
ROWS = np.array([3, 17, 4, 4, 0])


def test_rows_are_those_of_a_copy():
    rows = InputRows.of(WHOLE, ROWS)
    copied = WHOLE[ROWS]
    assert (len(rows), rows.shape, rows.dtype) == (5, copied.shape, copied.dtype)
    for index in (slice(1, 3), slice(4, 9), np.array([4, 0]), np.zeros(0, np.int64)):
        np.testing.assert_array_equal(rows[index], copied[index])
    np.testing.assert_array_equal(np.asarray(rows), copied)


def test_rows_of_rows_read_the_same_array():
    inner = InputRows.of(InputRows.of(WHOLE, ROWS), np.array([2, 0]))
    assert inner.whole is WHOLE
    np.testing.assert_array_equal(np.asarray(inner), WHOLE[[4, 3]])


@pytest.fixture
def prepared(faces_folder: Path, tmp_path: Path) -> Path:
    return prepare(
        f"folder:{faces_folder}", image_side=16, attributes=("gender",), positive=None, cache=tmp_path
    )


def test_what_is_written_to_opened_images_does_not_reach_the_prepared_copy(prepared):
    opened, before = open_prepared(prepared), open_prepared(prepared).inputs[0].copy()
    opened.inputs[0] = 255 - opened.inputs[0]  # type: ignore[index]
    np.testing.assert_array_equal(open_prepared(prepared).inputs[0], before)


def test_a_trial_on_the_cpu_reads_the_map_itself(prepared):
    faces = split_faces(open_prepared(prepared), ("gender",), 0)
    held = DeviceFaces.load(faces.train, ("gender",), "cpu")
    assert isinstance(faces.train.inputs, InputRows)
    assert held.inputs.data_ptr() == faces.train.inputs.whole.ctypes.data
    assert len(held) == len(faces.train)
    batch = held.inputs_at(torch.tensor([5, 0]), "contiguous")
    np.testing.assert_array_equal(batch.numpy(), faces.train.inputs[np.array([5, 0])] / np.float32(255))


TRIAL = """
    import sys
    from pathlib import Path
    import torch
    from aia_models.config import BudgetConfig, ComputeConfig, TrainingConfig
    from aia_models.data.prepared.prepare import open_prepared
    from aia_models.data.splits import split_faces
    from aia_models.training.trainer import Trainer

    def held():
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
        return {name: int(value.split()[0]) for name, value in (line.split(":") for line in lines)}["Pss"] * 1024

    torch.set_num_threads(1)
    faces = split_faces(open_prepared(Path(sys.argv[1])), ("gender",), 0)
    trainer = Trainer(TrainingConfig(budget=BudgetConfig(1, 0, 1)), ComputeConfig(), faces)
    trainer.joint_step(torch.arange(64), torch.arange(32) % 2 == 0)
    before = held()
    before = held()
    for own in (trainer.train_faces, trainer.validation_faces):
        for rows in torch.arange(len(own)).split(64):
            own.inputs_at(rows, "channels_last")
    print(flush=True)
    sys.stdin.readline()  # until all have read everything
    print(held() - before, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def many_images(tmp_path: Path) -> Path:
    """Write a prepared folder of 200,000 images of 64x64 pixels of 20,000 people."""
    names, images = [f"person {number}" for number in range(20_000)], 200_000
    rng = np.random.default_rng(0)
    identity = np.repeat(np.arange(len(names), dtype=np.int32), 10)
    np.save(tmp_path / "identity.npy", identity)
    np.save(tmp_path / "attributes.npy", (identity % 2).astype(np.int8)[None])
    (tmp_path / "identity_names.json").write_text(json.dumps(names))
    manifest = {
        "settings": {"version": PREPARATION_VERSION},
        "attributes": ["gender"],
        "fingerprint": "random",
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with (tmp_path / "inputs.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (images, 1, 64, 64)}
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(20):
            file.write(rng.integers(0, 256, (images // 20, 64, 64), dtype=np.uint8).tobytes())
    return tmp_path


@pytest.fixture
def trials(many_images: Path) -> Iterator[list[subprocess.Popen]]:
    command = [sys.executable, "-c", textwrap.dedent(TRIAL), str(many_images)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    yield started
    for process in started:
        process.kill()
        process.wait()


def answers(processes: list[subprocess.Popen]) -> list[str]:
    """Return the next line of each process, then let all of them continue."""
    lines = [process.stdout.readline() for process in processes]  # type: ignore[union-attr]
    for process in processes:
        process.stdin.write("\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    return lines


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").is_file(), reason="needs Linux's smaps_rollup")
def test_four_trials_hold_the_images_once(many_images, trials):
    """The proportional resident size counts a page that four processes share as a quarter for each.

    All four trials read the train and validation images.
    """
    answers(trials)
    grown = sum(int(line) for line in answers(trials))
    images = (many_images / "inputs.npy").stat().st_size
    assert 0.5 * images < grown < 1.1 * images, f"{grown / 2**20:.0f} of {images / 2**20:.0f} MiB"
