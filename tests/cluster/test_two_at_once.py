"""Two simultaneous launches on one cluster and one storage do not disturb each other."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import ray
from ray.cluster_utils import Cluster

AIA_STUDY = Path(sys.executable).with_name("aia-study")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # This ends the local Ray of the test process.
    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def launched(
    storage: Path, names: tuple[str, str], settings: list[str], cluster: Cluster
) -> list[tuple[int, str]]:
    """Start two launches together and return the exit status and the last line of each."""
    options = [
        "--trials",
        "2",
        "--address",
        cluster.address,
        "--set",
        "resources.cpus_per_trial=1",
        *settings,
    ]
    processes = [
        subprocess.Popen(
            [AIA_STUDY, "launch", "quick", "--storage", storage, "--name", name, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    said = [process.communicate()[1].splitlines()[-1] for process in processes]
    return [(process.returncode, line) for process, line in zip(processes, said, strict=True)]


@pytest.mark.slow
def test_two_studies_share_a_cluster_and_a_storage(cluster, tmp_path, tiny_settings):
    ended = launched(tmp_path, ("one", "other"), tiny_settings, cluster)
    assert [status for status, _ in ended] == [0, 0], ended
    tables = [pl.read_parquet(tmp_path / name / "results/trials/*.parquet") for name in ("one", "other")]
    for trials in tables:
        assert trials["trial_id"].n_unique() == trials.height == 3
        assert (trials["status"] == "complete").all()
    figures = [trials.sort("trial_id")["attacker_auc_validation"].to_list() for trials in tables]
    assert figures[0][0] == figures[1][0], "the baselines are the same training"
    assert len(list((tmp_path / ".prepared").glob("folder-*"))) == 1


@pytest.mark.slow
def test_of_two_launches_of_one_name_one_refuses(cluster, tmp_path, tiny_settings):
    (first, _), (second, _) = ended = launched(tmp_path, ("same", "same"), tiny_settings, cluster)
    assert sorted([first, second]) == [0, 2], ended
    refused = next(line for status, line in ended if status == 2)
    assert refused.startswith(f"aia-study: {tmp_path / 'same'}")
    assert pl.read_parquet(tmp_path / "same" / "results/trials/*.parquet").height == 3
