"""The parts of the CUDA scripts that need no GPU: imports, fused trials, trials packed as processes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from shared import cuda_step
from shared.fused_trials import FusedTrials
from shared.twins import PAPER, batches

from aia_models.config import ComputeConfig, DecoderConfig
from aia_models.training.trainer import Trainer
from tests.aia_models.random_faces import random_faces

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# Packages that a machine with torch, numpy, scikit-learn, safetensors and jaxtyping only does not have.
ABSENT = (
    "ray", "pydantic", "polars", "optuna", "pyarrow", "pandas", "rich", "typer", "moocore", "plotnine", "tomli_w",
    "beartype", "torchvision", "torchcodec",
)  # fmt: skip
SMALL = replace(PAPER, decoder=DecoderConfig((8, 4)), batch_images=16, learning_rate=5e-5)


def test_the_step_needs_nothing_that_studies_need() -> None:
    """The script runs outside the repository, as if the project were not installed."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({ABSENT}));"
        "sys.meta_path = [f for f in sys.meta_path if 'Editable' not in repr(f)];"
        f"sys.path.append({str(BENCHMARKS)!r});"
        "import step; from shared import cuda_step; print(step.Trainer.__module__)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert ran.stdout == "aia_models.training.trainer\n", ran.stderr


def test_without_a_gpu_one_line_says_so() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    command = [sys.executable, str(BENCHMARKS / "step.py"), "--device", "cuda"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    assert "finds no CUDA device" in ran.stderr.splitlines()[-1]


def test_fused_trials_train_like_trials_of_their_own() -> None:
    faces = random_faces(people=20, images=4)
    configs = [replace(SMALL, alpha=0.3, seed=1), replace(SMALL, betas=(2.0,), learning_rate=1e-4, seed=2)]
    alone = [Trainer(config, ComputeConfig(), faces) for config in configs]
    fused = FusedTrials(configs, faces.input_shape[-1], "cpu")
    drawn = batches(faces, 6, SMALL.batch_images)
    for first in range(0, len(drawn), len(configs)):
        own = drawn[first : first + len(configs)]
        images, gender, different = (
            torch.stack([getattr(batch, name) for batch in own]) for name in ("images", "gender", "different")
        )
        losses = fused.step(images, gender.to(torch.int8), different)
        expected = [
            trainer.joint_step(batch.rows, batch.different)[:3]
            for trainer, batch in zip(alone, own, strict=True)
        ]
        torch.testing.assert_close(losses, torch.stack(expected), rtol=1e-4, atol=1e-6)


def test_a_device_has_an_index_where_one_is_chosen() -> None:
    assert [cuda_step.indexed(device) for device in ("cuda", "cuda:1")] == ["cuda:0", "cuda:1"]


@pytest.mark.slow
def test_packed_trials_run_as_processes(tmp_path: Path) -> None:
    assert cuda_step.packed(str(tmp_path), ComputeConfig(), trials=2, seconds=1.0) > 0
