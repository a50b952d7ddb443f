"""Whole studies in object storage on a local S3 server: launches, reads, losses and resumes."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import ray
from ray.cluster_utils import Cluster

import aia_models
import analysis
from analysis.tables.location import ObjectPath
from study.cli import run
from study.errors import StudyError
from study.storage.results_store import ResultsStore
from study.storage.study_storage import open_storage
from tests.cluster.object_server import BUCKET, ObjectServer
from tests.faults.campaign import settings_of, trial_processes
from tests.faults.disk import may_mount
from tests.faults.verdict import Verdict, judged

AIA_STUDY = Path(sys.executable).with_name("aia-study")


@pytest.fixture(scope="module")
def study(local_ray: None, object_server: ObjectServer, tiny_settings: list[str]) -> str:
    arguments = ["launch", "quick", "--storage", object_server.uri(f"{BUCKET}/studies"), "--name", "tiny"]
    assert run([*arguments, "--trials", "3", *tiny_settings]) == 0
    return object_server.uri(f"{BUCKET}/studies/tiny")


def launching(storage: str, settings: list[str], name: str = "tiny") -> list[str]:
    return [str(AIA_STUDY), "launch", "quick", "--storage", storage, "--name", name, *settings]


def test_all_of_a_study_is_in_the_store(study):
    there = ObjectPath.from_uri(study)
    assert {"study.toml", "controls.json", "search.journal", "checkpoints", "results", "frontier.png"} <= set(
        there.children()
    )
    assert (there / "wal").children() == []
    assert (there / "state").children() == []
    assert (there / "lock").children() == []
    assert len((there / "resamples").children()) == 4
    trials = pd.concat(
        pq.read_table(f"{there.path}/results/trials/{part}", filesystem=there.store).to_pandas()
        for part in (there / "results" / "trials").children()
    )
    assert sorted(trials["trial_id"]) == ["baseline-original", *(f"trial-{n:05d}" for n in range(3))]
    assert (trials["status"] == "complete").all()


def test_it_is_asked_by_its_uri(study, capsys, tmp_path):
    assert run(["front", study, "--format", "json"]) == 0
    front = json.loads(capsys.readouterr().out)
    assert [row["trial_id"] for row in front] == analysis.open_study(study).front()["trial_id"].to_list()
    assert run(["select", study, "--max-attacker-auc", "1", "--format", "json"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert chosen["checkpoint"] == str(ObjectPath.from_uri(study) / "checkpoints" / chosen["trial_id"])
    assert run(["status", study]) == 0
    assert study in capsys.readouterr().out
    for kind in ("frontier", "probability"):
        assert run(["plot", study, "--kind", kind, "-o", str(tmp_path / f"{kind}.png")]) == 0
        assert (tmp_path / f"{kind}.png").read_bytes().startswith(b"\x89PNG")


def test_checkpoints_come_from_there(study, capsys, tmp_path, faces_folder):
    trial = analysis.open_study(study).front()["trial_id"][0]
    assert run(["fetch", study, trial, "-o", str(tmp_path / "anonymizer")]) == 0
    assert aia_models.load(tmp_path / "anonymizer").input_shape == (1, 16, 16)
    checkpoint = str(ObjectPath.from_uri(study) / "checkpoints" / trial)
    assert run(["encode", checkpoint, str(faces_folder / "images"), "-o", str(tmp_path / "g.parquet")]) == 0
    assert pq.read_metadata(tmp_path / "g.parquet").num_rows == 240
    assert run(["export", checkpoint, "--format", "torch", "-o", str(tmp_path / "anonymizer.pt2")]) == 0
    assert (tmp_path / "anonymizer.pt2").is_file()
    capsys.readouterr()
    for command in (["encode", study, str(faces_folder)], ["export", study]):
        assert run([*command, "-o", str(tmp_path / "none")]) == 2
        assert capsys.readouterr().err.startswith(f"aia-study: {study} is no checkpoint: a folder with")
    assert run(["fetch", study, "trial-00099", "-o", str(tmp_path / "none")]) == 2
    assert "trial-00099" in capsys.readouterr().err


def test_a_damaged_part_is_told_and_the_rest_is_read(study, capsys):
    part = ObjectPath.from_uri(study) / "results" / "trials" / "part-999999.parquet"
    part.write_text("no parquet at all")
    try:
        assert run(["front", study]) == 0
    finally:
        part.remove()
    assert "part-999999.parquet is damaged and left out" in capsys.readouterr().err


def test_a_damaged_file_of_resamples_is_told_by_its_uri(study, capsys, tmp_path):
    file = ObjectPath.from_uri(study) / "resamples" / "trial-00001.parquet"
    whole = tmp_path / "whole"
    whole.write_bytes(file.read_bytes())
    file.write_text("no parquet at all")
    try:
        assert run(["plot", study, "--kind", "probability", "-o", str(tmp_path / "none.png")]) == 2
    finally:
        file.upload(whole)
    assert f"{file} cannot be read" in capsys.readouterr().err


def test_a_finished_study_lacks_nothing_and_grows_by_one_driver_at_a_time(study, capsys):
    assert run(["resume", study]) == 0
    assert "is complete" in capsys.readouterr().err
    with ResultsStore(open_storage(study)):
        assert run(["resume", study]) == 2
    assert f"{study} is being written by another" in capsys.readouterr().err.splitlines()[-1]
    assert run(["resume", study, "--trials", "4"]) == 0
    trials = analysis.open_study(study).trials()
    assert trials["trial_id"].is_unique().all()
    assert trials.filter(phase="search").height == 4


def test_a_study_can_begin_with_one_from_there(study, storage, tiny_settings, capsys, monkeypatch):
    def stop(*_: object) -> None:
        raise StudyError("what was taken is known by now")

    monkeypatch.setattr("study.tune.run_study.run_trials", stop)
    searched = analysis.open_study(study).trials().filter(phase="search").height
    options = ["--storage", str(storage), "--name", "warm", "--trials", "1", "--set", f"warm_start={study}"]
    assert run(["launch", "quick", *options, *tiny_settings]) == 2
    assert f"{searched} trials of s3://" in capsys.readouterr().err


def test_a_name_that_is_taken_is_refused(study, object_server, tiny_settings, capsys):
    arguments = launching(object_server.uri(f"{BUCKET}/studies"), tiny_settings)[1:]
    assert run(arguments) == 2
    assert f"{study} exists already" in capsys.readouterr().err


def test_faces_can_be_prepared_before(object_server, faces_folder, capsys):
    storage = object_server.uri(f"{BUCKET}/before")
    assert run(["prepare", f"folder:{faces_folder}", "--storage", storage, "--image-side", "16"]) == 0
    prepared = ObjectPath.from_uri(capsys.readouterr().out.splitlines()[-1].removeprefix("prepared: "))
    assert prepared.parent == ObjectPath.from_uri(storage) / ".prepared"
    assert "manifest.json" in prepared.children()


def test_what_is_written_beside_a_study_goes_to_this_machine_alone(study, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in (["fetch", study, "trial-00000"], ["plot", study], ["report", study]):
        assert run([*command, "-o", "s3://faces/elsewhere"]) == 2
        assert "s3:/faces/elsewhere: needs a path on this machine" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_a_study_is_one_page_from_there_too(study, tmp_path):
    assert run(["report", study, "-o", str(tmp_path / "report.html")]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "trial-00003" in page
    assert "data:image/png;base64," in page


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        ("s3://nowhere/studies?{query}", "s3://nowhere/studies"),
        ("s3://faces/studies?endpoint_override=127.0.0.1:1&scheme=http&region=x", "127.0.0.1:1"),
        ("ftp://faces/studies", "ftp://faces/studies"),
    ],
)
def test_storage_that_takes_nothing_is_one_line_before_any_trial(
    object_server, tiny_settings, capsys, storage, told
):
    uri = storage.format(query=object_server.uri("").partition("?")[2])
    assert run(launching(uri, tiny_settings)[1:]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert told in err


def test_wrong_credentials_are_one_line_before_any_trial(object_server, tiny_settings, capsys):
    # The request that creates the bucket needs no credentials.
    strict = ObjectServer(unsigned=1)
    try:
        assert run(launching(strict.uri(f"{BUCKET}/studies"), tiny_settings)[1:]) == 2
    finally:
        strict.close()
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "credentials" in err


@pytest.mark.slow
def test_a_front_is_confirmed_there(object_server, tiny_settings, capsys):
    storage = object_server.uri(f"{BUCKET}/confirmed")
    assert run([*launching(storage, tiny_settings)[1:], "--trials", "1"]) == 0
    study = object_server.uri(f"{BUCKET}/confirmed/tiny")
    assert run(["confirm", study, "--seeds", "1"]) == 0
    confirming = analysis.open_study(study).trials().filter(phase="confirm")
    assert confirming["status"].to_list() == ["complete"]
    assert (ObjectPath.from_uri(study) / confirming["checkpoint"][0] / "model.safetensors").is_file()
    capsys.readouterr()
    assert run(["select", study, "--max-attacker-auc", "1", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"] == "confirm"
    assert run(["confirm", study]) == 0
    assert "is complete" in capsys.readouterr().err


@pytest.mark.slow
def test_nothing_is_lost_where_drivers_and_workers_are_killed_and_the_store_goes_away(
    object_server, faces_folder, tmp_path
):
    settings = settings_of(faces_folder, 12)
    local = [*launching(str(tmp_path), settings, "undisturbed")]
    assert subprocess.run(local, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode == 0
    study = object_server.uri(f"{BUCKET}/faults/undisturbed")
    driver = started(launching(object_server.uri(f"{BUCKET}/faults"), settings, "undisturbed"))
    wait_for_rows(study, driver)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    driver = started([str(AIA_STUDY), "resume", study])
    wait_for_worker(driver)
    os.kill(trial_processes()[0], signal.SIGKILL)
    time.sleep(3)
    with object_server.away():
        # This is longer than the S3 client retries by itself.
        time.sleep(20)
    time.sleep(3)
    driver.send_signal(signal.SIGINT)
    driver.wait()
    assert subprocess.run([AIA_STUDY, "resume", study]).returncode == 0
    assert ObjectPath.from_uri(study).download(tmp_path / "copy")
    verdict = judged(tmp_path / "copy", tmp_path / "undisturbed", "undisturbed")
    assert verdict == Verdict(lost=0, duplicates=0, zombies=0, differing_rows=0)


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="needs to give each node temporary files of its own: root")
def test_nodes_of_a_cluster_share_nothing_but_the_store(object_server, tiny_settings):
    ray.shutdown()
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [node_with_temporary_files_of_its_own(cluster.address) for _ in range(2)]
    try:
        wait_for_nodes(cluster, 1 + len(nodes))
        options = ["--trials", "4", "--address", cluster.address, "--set", "resources.cpus_per_trial=1"]
        assert run([*launching(object_server.uri(f"{BUCKET}/nodes"), tiny_settings)[1:], *options]) == 0
    finally:
        ray.shutdown()
        for node in nodes:
            os.killpg(node.pid, signal.SIGKILL)
            node.wait()
        cluster.shutdown()
    trials = analysis.open_study(object_server.uri(f"{BUCKET}/nodes/tiny")).trials()
    assert trials["status"].to_list() == ["complete"] * 5
    trained = trials.filter(stage1_reused=False)["stage1_key"]
    assert sorted(trained) == sorted(trials["stage1_key"].unique())


def node_with_temporary_files_of_its_own(address: str) -> subprocess.Popen:
    """Start a raylet that does not see the temporary files of the driver and of other nodes."""
    ray_start = f"ray start --address={address} --num-cpus=1 --dashboard-agent-listen-port=0 --block"
    script = f"mount -t tmpfs tmpfs {tempfile.gettempdir()} && exec {AIA_STUDY.with_name(ray_start)}"
    return subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def wait_for_nodes(cluster: Cluster, count: int) -> None:
    while len(cluster.global_state.node_table()) < count:
        time.sleep(0.5)


def started(command: list[str]) -> subprocess.Popen:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_rows(study: str, driver: subprocess.Popen) -> None:
    segments, results = (ObjectPath.from_uri(study) / name for name in ("wal", "results/trials"))
    wait_for(lambda: any("segment-" in name for name in segments.children()) or results.children(), driver)


def wait_for_worker(driver: subprocess.Popen) -> None:
    wait_for(trial_processes, driver)


def wait_for(happened: Callable[[], object], driver: subprocess.Popen) -> None:
    while not happened():
        assert driver.poll() is None, "it ended before that"
        time.sleep(0.1)
