"""Real clusters of several raylets: storage that nodes do not share, and workers that lack the project's code."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import ray
from ray.cluster_utils import Cluster

from study.cli import run
from tests.faults.campaign import trial_processes

AIA_STUDY = Path(sys.executable).with_name("aia-study")
RAY = Path(sys.executable).with_name("ray")
# As the sitecustomize of a worker this hides the installed project but not its dependencies.
NOT_INSTALLED = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
"""


@pytest.fixture
def head() -> Iterator[Cluster]:
    """Start a head node without cores, so that every trial runs on a node that joins."""
    # This ends the local Ray of the test process.
    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def launching(storage: Path, settings: list[str], cluster: Cluster) -> list[str]:
    arguments = ["launch", "quick", "--storage", str(storage), "--name", "tiny", "--trials", "2"]
    return [*arguments, *settings, "--address", cluster.address]


@pytest.mark.slow
def test_the_projects_code_reaches_workers_that_have_only_its_dependencies(
    head, storage, tiny_settings, monkeypatch
):
    (storage / "site").mkdir()
    (storage / "site" / "sitecustomize.py").write_text(NOT_INSTALLED)
    monkeypatch.chdir(storage)
    without = {"PYTHONPATH": str(storage / "site")}
    lacks = [sys.executable, "-c", "import torch, polars, study.cli"]
    there = subprocess.run(lacks, capture_output=True, text=True, env=without, cwd=storage)
    assert "No module named 'study'" in there.stderr
    head.add_node(num_cpus=1, env_vars=without)
    assert run(launching(storage, tiny_settings, head)) == 0
    trials = pl.read_parquet(storage / "tiny" / "results" / "trials" / "*.parquet")
    assert trials["status"].to_list() == ["complete"] * 3


def test_storage_that_a_node_does_not_share_is_refused_before_any_trial(
    head, tmp_path, prepared_faces, tiny_settings, capsys
):
    storage = shutil.copytree(prepared_faces, tmp_path / "studies" / ".prepared").parent
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", str(storage)]).returncode:
        pytest.skip("needs the right to give a raylet a mount of its own")
    head.add_node(num_cpus=1)
    start = f"mount -t tmpfs none {storage} && exec {RAY} start --address={head.address} --num-cpus=1 --block"
    node = subprocess.Popen(["unshare", "-m", "sh", "-c", start], stdout=subprocess.DEVNULL)
    try:
        wait_for_nodes(head, 3)
        assert run(launching(storage, tiny_settings, head)) == 2
    finally:
        node.terminate()
        node.wait()
    last = capsys.readouterr().err.splitlines()[-1]
    assert f"{storage / 'tiny'}: 1 of 3 nodes do not write there" in last
    assert not list((storage / "tiny").glob(".probe-*"))
    assert not (storage / "tiny" / "results").exists()


@pytest.mark.slow
def test_a_quarter_of_a_gpu_packs_four_trials_on_each_and_no_more(head, tmp_path, tiny_settings):
    for _ in range(2):
        head.add_node(num_cpus=8, num_gpus=1)
    options = ["--trials", "12", "--gpus-per-trial", "0.25", "--set", "training.joint_epochs=20"]
    study = subprocess.Popen([AIA_STUDY, *launching(tmp_path, tiny_settings, head), *options])
    most, left = 0, set()
    ray.init(head.address, log_to_driver=False)
    while study.poll() is None:
        free = ray._private.state.available_resources_per_node().values()
        left |= {node.get("GPU", 0.0) for node in free if "GPU" in node or node.get("CPU", 0) < 8}
        most = max(most, len(trial_processes()))
        time.sleep(0.05)
    assert study.returncode == 0
    assert most == 8
    assert left <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert 0.0 in left


@pytest.mark.slow
def test_nodes_join_and_leave_in_the_middle_of_a_study(head, tmp_path, tiny_settings):
    first = head.add_node(num_cpus=1)
    options = ["--trials", "10", "--set", "training.joint_epochs=400", "--set", "resources.cpus_per_trial=1"]
    study = subprocess.Popen([AIA_STUDY, *launching(tmp_path, tiny_settings, head), *options])
    wait_until(lambda: len(trial_processes()) == 1)
    head.add_node(num_cpus=1)
    wait_until(lambda: len(trial_processes()) == 2)
    head.remove_node(first, allow_graceful=False)
    wait_until(lambda: len(trial_processes()) == 1)
    head.add_node(num_cpus=1)
    assert study.wait() == 0
    trials = pl.read_parquet(tmp_path / "tiny" / "results" / "trials" / "*.parquet")
    assert trials["status"].to_list() == ["complete"] * 11
    assert trials["trial_id"].is_unique().all()


def wait_until(holds: Callable[[], bool]) -> None:
    while not holds():
        time.sleep(0.1)


def wait_for_nodes(cluster: Cluster, count: int) -> None:
    """Wait until `count` raylets are part of the cluster."""
    ray.init(cluster.address, log_to_driver=False)
    while sum(node["Alive"] for node in ray.nodes()) < count:
        time.sleep(0.2)
    ray.shutdown()
