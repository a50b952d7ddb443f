import subprocess
import sys

# pyarrow and pandas are not listed, because scikit-learn loads them where they are installed.
FOREIGN = {
    "ray", "optuna", "pydantic", "polars", "study", "analysis", "search_spaces", "onnxruntime", "dlib"
}  # fmt: skip


def test_models_need_nothing_of_what_runs_and_stores_studies() -> None:
    """A program that only trains, judges or encodes loads no package that only studies need."""
    modules = [
        "release.checkpoint",
        "training.trainer",
        "judging.judge",
        "data.prepared.prepare",
        "data.splits",
        "embedding.open_network",
        "embedding.template_blocks",
    ]
    code = (
        f"import {', '.join(f'aia_models.{module}' for module in modules)}; import sys; print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "torch" in loaded
    assert loaded & FOREIGN == set()
