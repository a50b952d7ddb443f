"""`aia-study report`: the file that it writes, and the page that it serves while a study runs."""

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis.tables.schema import IMPORTANCE_SCHEMA
from study.cli import run
from study.cli.report import render
from study.cli.report_server import LiveReport, make_server
from tests.analysis.report.report_study import add_part, trial, write_study
from tests.study import small_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", 12)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    directory = tmp_path / "empty"
    directory.mkdir()
    (directory / "study.toml").touch()
    return directory


@pytest.fixture
def serving() -> Iterator:
    servers: list[ThreadingHTTPServer] = []

    def start(directory: Path) -> str:
        server = make_server(LiveReport(directory, render, clock=lambda: 0.0), 0)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def get(address: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        return answer.read().decode()


def test_the_page_goes_into_the_study_or_where_it_is_told(study: Path, tmp_path: Path, capsys) -> None:
    assert run(["report", str(study)]) == 0
    assert f"report: {study / 'report.html'} (" in capsys.readouterr().out
    assert run(["report", str(study), "-o", str(tmp_path / "new" / "page.html")]) == 0
    page = (tmp_path / "new" / "page.html").read_text("utf-8")
    assert page == (study / "report.html").read_text("utf-8")
    assert page.rstrip().endswith("</html>")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["page.html"]


def test_a_report_says_what_hyperparameters_matter_for(tmp_path: Path) -> None:
    study = small_study.write_study(tmp_path / "small")
    assert run(["report", str(study)]) == 0
    assert pq.read_table(study / "importance.parquet").schema.equals(IMPORTANCE_SCHEMA)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--live", "-o", "page.html"], "--output"),
        (["--port", "8000"], "--live"),
        (["--port", "0"], "--port"),
    ],
)
def test_options_that_do_not_go_together_are_refused(study: Path, capsys, options, named: str) -> None:
    assert run(["report", str(study), *options]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert named in err
    assert not (study / "report.html").exists()


def test_a_directory_without_a_study_is_refused(tmp_path: Path, capsys) -> None:
    for more in ([], ["--live"]):
        assert run(["report", str(tmp_path), *more]) == 2
        assert "no study.toml" in capsys.readouterr().err


def test_a_port_that_is_taken_is_refused(study: Path, capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["report", str(study), "--live", "--port", str(port)]) == 2
    assert f"port {port}" in capsys.readouterr().err


def test_a_live_page_waits_for_results_and_follows_them(empty: Path, serving) -> None:
    address = serving(empty)
    version = get(f"{address}/version")
    assert f'data-version="{version}"' in get(f"{address}/")
    assert "no trial has finished yet" in get(f"{address}/")
    assert get(f"{address}/version") == version
    add_part(empty, [trial(0, 0.6, 0.7)])
    following = get(f"{address}/version")
    assert following != version
    page = get(f"{address}/")
    assert f'data-version="{following}"' in page
    assert "trial-00000" in page


def test_a_page_is_rendered_once_for_the_same_results(study: Path) -> None:
    rendered: list[str] = []
    live = LiveReport(study, lambda directory, version: rendered.append(version) or version)
    assert live.page() == live.page() == live.version()
    assert len(rendered) == 1


def test_rendering_leaves_most_of_the_machine_to_the_study(study: Path) -> None:
    seconds, rendered = [0.0], []

    def render_slowly(_: Path, version: str) -> str:
        rendered.append(version)
        seconds[0] += 10
        return version

    live = LiveReport(study, render_slowly, clock=lambda: seconds[0])
    first = live.page()
    for number in range(100, 120):
        add_part(study, [trial(number, 0.6, 0.7)])
        live.page()
        seconds[0] += 10
    assert len(rendered) == 1 + 20 // 5
    assert live.version() != first


def test_only_this_machine_is_answered_and_only_what_there_is(study: Path, serving) -> None:
    address = serving(study)
    for path, host in (("/study.toml", "127.0.0.1:1"), ("/", "elsewhere.example:80")):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(f"{address}{path}", Host=host)
    assert get(f"{address}/version", Host="localhost:1")
