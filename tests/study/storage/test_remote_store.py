"""A study's files in object storage, on a local S3 server and without training."""

from pathlib import Path

import pytest

import analysis
from aia_models.data.prepared.prepare import open_prepared, prepare
from analysis.errors import AnalysisError
from analysis.tables.location import ObjectPath, location
from study.cli import run
from study.errors import StudyError
from study.replay.recording import write_table
from study.storage import object_lease, prepared_cache
from study.storage.results_store import ResultsStore
from study.storage.study_storage import StudyStorage
from tests.cluster.object_server import BUCKET
from tests.study.replay import recordings
from tests.study.storage.store_writer import rows_of


def unexpected(*given: object) -> None:
    raise AssertionError("it is there already")


def test_prepared_faces_come_to_each_node_once_and_to_who_goes_on(
    object_server, tmp_path, monkeypatch, faces_folder
):
    monkeypatch.setattr(prepared_cache, "_node_cache", lambda: tmp_path / "driver")
    (tmp_path / "driver").mkdir()
    storage = location(object_server.uri(f"{BUCKET}/prepared"))
    here = prepare(
        f"folder:{faces_folder}", image_side=16, attributes=("gender",), positive=None,
        cache=prepared_cache.preparation_folder(storage),
    )  # fmt: skip
    there = prepared_cache.share_prepared(here, storage)
    monkeypatch.setattr(prepared_cache, "_node_cache", lambda: tmp_path / "node")
    (tmp_path / "node").mkdir()
    on_node = prepared_cache.fetch_prepared(str(there))
    assert on_node.parent == tmp_path / "node"
    assert open_prepared(on_node).fingerprint == open_prepared(here).fingerprint
    assert (open_prepared(on_node).inputs == open_prepared(here).inputs).all()
    with monkeypatch.context() as patched:
        patched.setattr(ObjectPath, "download", unexpected)
        patched.setattr(ObjectPath, "upload", unexpected)
        assert prepared_cache.fetch_prepared(str(there)) == on_node
        assert prepared_cache.share_prepared(here, storage) == there
    monkeypatch.setattr(prepared_cache, "_node_cache", lambda: tmp_path / "other")
    (tmp_path / "other").mkdir()
    assert (
        prepared_cache.find_prepared(storage, open_prepared(here).fingerprint)
        == tmp_path / "other" / here.name
    )
    assert prepared_cache.find_prepared(storage, "another") is None


def test_a_driver_that_stood_still_while_another_took_over_writes_nothing(
    object_server, tmp_path, monkeypatch
):
    monkeypatch.setattr(object_lease, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(object_lease, "DEAD_SECONDS", 2.0)
    remote = location(object_server.uri(f"{BUCKET}/still/study"))
    assert isinstance(remote, ObjectPath)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = ResultsStore(StudyStorage(tmp_path / "first", remote))
    lease = first._writer._lease  # type: ignore[union-attr]
    # The lease sends no more beats, like a process that is stopped.
    lease._released.set()
    lease._thread.join()
    with ResultsStore(StudyStorage(tmp_path / "second", remote)) as second:
        second.append(rows_of("trial-00000"))
        with pytest.raises(StudyError, match="another process took over"):
            first.append(rows_of("trial-00001"))
    assert second.trial_ids() == {"trial-00000"}


@pytest.mark.parametrize("failure", [OSError("no answer"), KeyboardInterrupt()])
def test_a_part_that_did_not_arrive_is_put_again(object_server, tmp_path, monkeypatch, failure):
    kind = "interrupted" if isinstance(failure, KeyboardInterrupt) else "failed"
    remote = location(object_server.uri(f"{BUCKET}/{kind}/study"))
    assert isinstance(remote, ObjectPath)
    store = ResultsStore(StudyStorage(tmp_path, remote))
    store.append(rows_of("trial-00000"))
    upload, failing = ObjectPath.upload, [failure]

    def fails_once(path: ObjectPath, source: Path) -> None:
        if failing and "/results/trials/" in path.path:
            raise failing.pop()
        upload(path, source)

    monkeypatch.setattr(ObjectPath, "upload", fails_once)
    with pytest.raises(type(failure)):
        store.flush()
    store.close()
    (tmp_path / "again").mkdir()
    with ResultsStore(StudyStorage(tmp_path / "again", remote)) as again:
        assert again.trial_ids() == {"trial-00000"}
    assert (remote / "results" / "trials").children() == ["part-000001.parquet"]


def test_a_copy_holds_what_lies_there_now_and_nothing_that_was_handed_over(object_server, tmp_path):
    remote = location(object_server.uri(f"{BUCKET}/copies/study"))
    assert isinstance(remote, ObjectPath)
    storage = StudyStorage(tmp_path, remote)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "file").write_text("mine")
    storage.upload_and_drop("state/file")
    assert not (tmp_path / "state" / "file").exists()
    assert storage.download("state/file").read_text() == "mine"
    (remote / "state" / "file").write_text("another's")
    assert storage.download("state/file").read_text() == "another's"
    (remote / "state" / "file").remove()
    assert not storage.download("state/file").exists()


def test_a_store_that_does_not_answer_is_no_damaged_part(object_server, tmp_path, monkeypatch):
    remote = location(object_server.uri(f"{BUCKET}/silent/study"))
    assert isinstance(remote, ObjectPath)
    (remote / "study.toml").write_text("")
    with ResultsStore(StudyStorage(tmp_path, remote)) as store:
        store.append(rows_of("trial-00000"))

    def fails(*given: object, **more: object) -> None:
        raise OSError("no answer")

    monkeypatch.setattr("analysis.tables.parts.pq.read_metadata", fails)
    with pytest.raises(AnalysisError, match=r"study\S*: cannot be read \(no answer\)"):
        analysis.open_study(remote)


@pytest.mark.parametrize("form", ["directory", "one file"])
def test_a_recorded_study_is_replayed_from_there(object_server, tmp_path, form, capsys):
    here = recordings.write_study(tmp_path / "recorded", recordings.recording(designs=4))
    if form == "one file":
        write_table(here, tmp_path / "recorded.parquet")
        here = tmp_path / "recorded.parquet"
    remote = location(object_server.uri(f"{BUCKET}/{form.replace(' ', '-')}/{here.name}"))
    assert isinstance(remote, ObjectPath)
    remote.upload(here)
    replayed = []
    for where in (here, remote):
        assert run(["simulate", str(where), "--sampler", "random", "--format", "csv"]) == 0
        replayed.append(capsys.readouterr().out)
    assert len(replayed[0].splitlines()) == 1 + 4
    assert replayed[0] == replayed[1]
