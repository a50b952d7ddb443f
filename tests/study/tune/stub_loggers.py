"""Packages that stand in for mlflow and wandb and note the calls of Ray's callbacks as lines of JSON.

Neither package is a dependency of the tests, because MLflow's dependencies hold pandas and pyarrow back.
"""

import json
from pathlib import Path
from typing import Any

NOTES = """
import json, os
def note(*call):
    with open(os.environ["STUB_NOTES"], "a") as file:
        file.write(json.dumps(call) + "\\n")
"""

FILES = {
    "stub_notes.py": NOTES,
    "mlflow/__init__.py": """
from stub_notes import note
__version__ = "3.0.0"
def set_tracking_uri(uri): note("mlflow tracking", uri)
def set_registry_uri(uri): pass
def get_tracking_uri(): return None
def get_registry_uri(): return None
def get_experiment_by_name(name): return None
def create_experiment(name, artifact_location=None):
    note("mlflow experiment", name)
    return "1"
def get_run(run_id): return run_id
def active_run(): return None
""",
    "mlflow/exceptions.py": "class MlflowException(Exception): pass\n",
    "mlflow/utils/__init__.py": "",
    "mlflow/utils/mlflow_tags.py": "MLFLOW_RUN_NAME = 'mlflow.runName'\n",
    "mlflow/tracking.py": """
from types import SimpleNamespace
from stub_notes import note
class MlflowClient:
    def __init__(self, tracking_uri, registry_uri): pass
    def create_run(self, run_name, experiment_id, tags):
        return SimpleNamespace(info=SimpleNamespace(run_id=run_name))
    def log_param(self, run_id, key, value): note("mlflow param", run_id, key, value)
    def log_metric(self, run_id, key, value, step): note("mlflow metric", run_id, key, step, value)
    def set_terminated(self, run_id, status): note("mlflow end", run_id, status)
""",
    "wandb/__init__.py": """
from types import SimpleNamespace
from stub_notes import note
class config:
    @staticmethod
    def update(values, allow_val_change): pass
def init(**options):
    global name
    name = options["name"]
    note("wandb init", name, options["project"], options["group"], options["config"])
    return SimpleNamespace(config=SimpleNamespace())
def log(figures, step): note("wandb log", name, step, figures)
def finish(): note("wandb end", name)
""",
    "wandb/util.py": "from json import dumps as json_dumps_safer\n",
    "wandb/wandb_run.py": "class Run: pass\n",
    "wandb/sdk/__init__.py": "",
    "wandb/sdk/data_types/__init__.py": "",
    "wandb/sdk/data_types/base_types/__init__.py": "",
    "wandb/sdk/data_types/base_types/wb_value.py": "class WBValue: pass\n",
    "wandb/sdk/data_types/image.py": "class Image: pass\n",
    "wandb/sdk/data_types/video.py": "class Video: pass\n",
}


def write_stubs(folder: Path) -> Path:
    """Write the packages below `folder`, which belongs on PYTHONPATH."""
    for name, source in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
    return folder


def read_notes(path: Path) -> list[list[Any]]:
    """Return the noted calls."""
    return [json.loads(line) for line in path.read_text().splitlines()]
