"""The files of `deploy/` satisfy their readers: Ray's schema, Kubernetes' schema, linters, and a run."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import polars as pl
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.cluster.ray_job_schema import RAY_JOB

DEPLOY = Path(__file__).parents[2] / "deploy"
BIN = Path(sys.executable).parent
# Stand-ins for Slurm on one machine: a node list of one name, and steps that run locally.
SCONTROL = "#!/bin/sh\necho 127.0.0.1\n"
SRUN = '#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"\n'


def test_ray_takes_the_cluster_file():
    config = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    prepared = prepare_config(config)
    validate_config(prepared)
    assert prepared["available_node_types"]["head"]["resources"] == {"CPU": 0}


@pytest.fixture
def ray_job() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "rayjob.yaml").read_text())


def test_kuberay_takes_the_ray_job(ray_job):
    jsonschema.validate(ray_job, RAY_JOB)


def test_kubernetes_takes_the_pods_of_the_ray_job(ray_job):
    cluster = ray_job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, **group["template"]}
        kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("minReplicas", "1"), ("minReplica", 1), ("rayStartParams", {"num-cpus": 0}), ("groupName", None)],
)
def test_a_wrong_worker_group_is_refused(ray_job, field, value):
    ray_job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0][field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(ray_job, RAY_JOB)


def test_a_wrong_pod_is_refused():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, "spec": {"container": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize(("linter", "file"), [("hadolint", "Dockerfile"), ("shellcheck", "slurm.sh")])
def test_linters_have_nothing_to_say(linter, file):
    ran = subprocess.run([str(BIN / linter), str(DEPLOY / file)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.mark.slow
def test_the_slurm_script_runs_a_study(tmp_path, tiny_settings):
    for name, content in (("scontrol", SCONTROL), ("srun", SRUN)):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    arguments = ["launch", "quick", "--storage", str(tmp_path / "studies"), "--name", "tiny", "--trials", "2"]
    environment = os.environ | {
        "PATH": f"{tmp_path}:{BIN}:{os.environ['PATH']}",
        "SLURM_JOB_NODELIST": "node[1]",
        "SLURM_CPUS_PER_TASK": "2",
    }
    command = ["bash", str(DEPLOY / "slurm.sh"), *arguments, *tiny_settings]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    trials = pl.read_parquet(tmp_path / "studies" / "tiny" / "results" / "trials" / "*.parquet")
    assert trials["status"].to_list() == ["complete"] * 3
