import subprocess
import sys

# Not pyarrow and pandas, which scikit-learn loads where they are installed.
FOREIGN = {"ray", "optuna", "pydantic", "polars", "study", "analysis", "search_spaces"}


def test_models_need_nothing_of_what_runs_and_stores_studies() -> None:
    """Whoever only encodes images loads none of it."""
    modules = [
        "release.checkpoint",
        "training.trainer",
        "judging.judge",
        "data.prepared.prepare",
        "data.splits",
    ]
    code = (
        f"import {', '.join(f'aia_models.{module}' for module in modules)}; import sys; print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "torch" in loaded
    assert loaded & FOREIGN == set()
