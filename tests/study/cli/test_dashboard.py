"""The dashboard, in a process of its own and over HTTP, shows the search and changes nothing."""

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.study import StudyDirection

from analysis.tables.objectives import SEARCH_OBJECTIVES
from search_spaces.spaces import SPACES
from study.cli import run
from study.cli.dashboard import refuse_writes
from study.lifecycle.example_study import EXAMPLE, example_directory
from study.search.journal import read_only
from study.search.proposals import Proposals
from study.storage.paths import JOURNAL


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("storage") / "s"
    shutil.copytree(example_directory(), directory)
    return directory


@pytest.fixture(scope="module")
def page(study: Path) -> Iterator[str]:
    """Start a dashboard of the study and return its address."""
    pytest.importorskip("optuna_dashboard")
    command = [sys.executable, "-m", "study", "dashboard", str(study), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found
            yield found[0]
        finally:
            process.terminate()


def get(address: str) -> Any:
    with urllib.request.urlopen(address) as answer:
        return json.loads(answer.read())


def test_it_shows_the_studys_trials(page, study):
    (summary,) = get(f"{page}/api/studies")["study_summaries"]
    assert summary["study_name"] == EXAMPLE
    detail = get(f"{page}/api/studies/{summary['study_id']}")
    stored = read_only(study / JOURNAL).get_all_trials(summary["study_id"])
    assert {trial["number"]: trial["state"] for trial in detail["trials"]} == {
        trial.number: trial.state.name.capitalize() for trial in stored
    }


def test_its_page_is_there(page):
    with urllib.request.urlopen(f"{page}/dashboard") as answer:
        assert b"<html" in answer.read()


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/studies"), ("DELETE", "/api/studies/0"), ("PUT", "/api/studies/0/note")],
)
def test_nothing_can_be_changed_through_it(page, study, method, path):
    before = (study / JOURNAL).read_bytes()
    body = json.dumps({"study_name": "x", "directions": ["minimize"], "version": 1, "body": "x"}).encode()
    request = urllib.request.Request(
        page + path, method=method, data=body, headers={"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(request)
    assert (study / JOURNAL).read_bytes() == before
    assert not list(study.glob(f"{JOURNAL}.*")), "no lock"


def test_the_journal_is_read_while_its_study_writes(tmp_path):
    space = SPACES["alpha-beta"]
    proposals = Proposals(tmp_path, "s", space, "random", 0, SEARCH_OBJECTIVES)
    reader = read_only(tmp_path / JOURNAL)
    proposal = proposals.ask()
    assert [trial.state.name for trial in reader.get_all_trials(0)] == ["RUNNING"]
    figures = {"attacker_auc_validation": 0.6, "matching_auc_validation": 0.7}
    proposals.tell(proposal.optuna_number, "complete", figures)
    assert [trial.values for trial in reader.get_all_trials(0)] == [[0.6, 0.7]]
    with pytest.raises(PermissionError, match="by its driver alone"):
        reader.create_new_study([StudyDirection.MINIMIZE], "another")


def test_only_what_reads_reaches_the_application():
    reached, statuses = [], []

    def application(environment, start_response):
        reached.append(environment["REQUEST_METHOD"])
        return [b"page"]

    guarded = refuse_writes(application)
    for method in ("GET", "POST", "HEAD", "DELETE", "PUT", "PATCH"):
        guarded({"REQUEST_METHOD": method}, lambda status, headers: statuses.append(status))
    assert reached == ["GET", "HEAD"]
    assert [status[:3] for status in statuses] == ["405"] * 4


def test_without_the_package_one_line_says_what_to_install(study, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    assert run(["dashboard", str(study)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "pip install 'aia-study[dashboard]'" in err


def test_a_directory_without_a_journal(tmp_path, capsys):
    assert run(["dashboard", str(tmp_path)]) == 2
    assert f"{tmp_path}: no search.journal in it" in capsys.readouterr().err


def test_a_port_that_is_taken(study, capsys):
    pytest.importorskip("optuna_dashboard")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["dashboard", str(study), "--port", str(port)]) == 2
    assert f"--port {port}: cannot listen there" in capsys.readouterr().err
