"""A study whose driver runs on the cluster, as a job that the dashboard accepts."""

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
from analysis.tables.location import location
from study.cli import run
from study.errors import StudyError
from study.tune import job
from tests.cluster.object_server import BUCKET

RAY = Path(sys.executable).with_name("ray")


@pytest.fixture
def dashboard(object_server) -> Iterator[str]:
    """Return the dashboard's address of a one-node cluster that has credentials for the object server."""
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
        while not _answers(address):
            assert node.poll() is None, "the node does not start"
            time.sleep(0.5)
        yield address
    finally:
        node.terminate()
        node.wait()


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
    submitted = re.match(r"job (\S+) runs", said)
    assert submitted, said
    assert f"ray job logs --follow --address {dashboard} {submitted[1]}" in said
    client = JobSubmissionClient(dashboard)
    while not (status := client.get_job_status(submitted[1])).is_terminal():
        time.sleep(1)
    assert status == JobStatus.SUCCEEDED, client.get_job_logs(submitted[1])
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


class Client:
    """The client of a cluster that answers with `failures` before it accepts a job."""

    def __init__(self, *failures: str) -> None:
        self._failures = list(failures)

    def submit_job(self, **given: object) -> str:
        if self._failures:
            raise RuntimeError(self._failures.pop())
        return "job-1"


AGAIN = "Request failed with status code 500: No available agent to submit job"


@pytest.mark.parametrize("failures", [0, 2])
def test_a_cluster_that_has_just_started_is_asked_again(failures, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(job, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(job, "JobSubmissionClient", lambda address: Client(*[AGAIN] * failures))
    job.detach(tmp_path, [], "http://head:8265")
    out, err = capsys.readouterr()
    assert f"job job-1 runs {tmp_path}" in out
    assert len(err.splitlines()) == min(failures, 1)


@pytest.mark.parametrize("said", [AGAIN, "Request failed with status code 500: no room"])
def test_why_a_cluster_takes_no_job_is_told(said, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "AGENT_SECONDS", 0.0)
    monkeypatch.setattr(job, "JobSubmissionClient", lambda address: Client(said))
    with pytest.raises(StudyError, match=f"took no job .{said}"):
        job.detach(tmp_path, [], "http://head:8265")


def test_what_answers_and_is_no_dashboard_is_told(tmp_path, monkeypatch):
    def other(address: str) -> None:
        raise RuntimeError("Version check returned 404")

    monkeypatch.setattr(job, "JobSubmissionClient", other)
    with pytest.raises(StudyError, match="no dashboard of a Ray cluster answers there"):
        job.detach(tmp_path, [], "http://head:8265")
