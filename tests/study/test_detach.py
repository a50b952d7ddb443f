"""A study whose driver runs on the cluster, as a job that the dashboard takes."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.job_submission import JobStatus, JobSubmissionClient

import analysis
from analysis.locations import location
from study.cli import run
from tests.study.object_server import BUCKET

RAY = Path(sys.executable).with_name("ray")


@pytest.fixture
def dashboard(object_server) -> Iterator[str]:
    """The address of a one-node cluster's dashboard; its node has credentials for the object server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ports = ["--port=0", f"--dashboard-port={port}", "--dashboard-agent-listen-port=0"]
    options = ["--head", *ports, "--num-cpus=2", "--block"]
    node = subprocess.Popen(
        [RAY, "start", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"RAY_AUTH_MODE": "disabled", "PATH": f"{RAY.parent}:{os.environ['PATH']}"},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        ends = time.monotonic() + 60
        while not _answers(address) and time.monotonic() < ends:
            time.sleep(0.5)
        yield address
    finally:
        node.terminate()
        node.wait(60)


def _answers(address: str) -> bool:
    try:
        return bool(JobSubmissionClient(address))
    except ConnectionError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("place", ["directory", "object storage"])
def test_a_detached_launch_returns_and_the_cluster_runs_it(
    place, dashboard, object_server, tmp_path, tiny_settings, capsys
):
    storage = str(tmp_path) if place == "directory" else object_server.uri(f"{BUCKET}/detached")
    arguments = ["launch", "quick", "--storage", storage, "--name", "tiny", "--trials", "2"]
    assert run([*arguments, *tiny_settings, "--detach", "--address", dashboard]) == 0
    said = capsys.readouterr().out
    job = re.match(r"job (\S+) runs", said)
    assert job, said
    assert f"ray job logs --follow --address {dashboard} {job[1]}" in said
    client, ends = JobSubmissionClient(dashboard), time.monotonic() + 150
    while not (status := client.get_job_status(job[1])).is_terminal() and time.monotonic() < ends:
        time.sleep(1)
    assert status == JobStatus.SUCCEEDED, client.get_job_logs(job[1])
    trials = analysis.open_study(location(storage) / "tiny").trials()
    assert trials["status"].to_list() == ["complete"] * 3


def test_without_a_dashboard_it_is_told_in_one_line(tmp_path, tiny_settings, capsys):
    arguments = ["launch", "quick", "--storage", str(tmp_path), "--name", "tiny", *tiny_settings]
    assert run([*arguments, "--detach", "--address", "http://127.0.0.1:9"]) == 2
    (*_, last) = capsys.readouterr().err.splitlines()
    assert "http://127.0.0.1:9: no dashboard of a Ray cluster answers there" in last
    assert f"aia-study resume {tmp_path / 'tiny'} --detach" in last


def test_without_an_address_nothing_is_made(tmp_path, tiny_settings, capsys):
    arguments = ["launch", "quick", "--storage", str(tmp_path), "--name", "tiny", *tiny_settings]
    assert run([*arguments, "--detach"]) == 2
    assert "--detach needs --address" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
