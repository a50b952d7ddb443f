"""`dashboard`: optuna-dashboard on a study's journal, for this machine alone, and reading only."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from analysis.tables.location import Location, local_copy
from study.console import stdout
from study.errors import StudyError
from study.search.journal import read_only
from study.storage.paths import JOURNAL

HOST = "127.0.0.1"  # whoever reaches the page sees the study
READING = ("GET", "HEAD")

Environment = dict[str, Any]
Application = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]


class _Server(ThreadingMixIn, WSGIServer):
    """A browser asks for several things at once."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a page asks every few seconds."""


def dashboard(directory: Location, port: int) -> None:
    """Serves the study's page until Ctrl-C, at a free port where `port` is 0, and prints where.

    StudyError where there is no journal, without optuna-dashboard, and where the port is taken.
    """
    journal = directory / JOURNAL
    if not journal.is_file():
        raise StudyError(f"{directory}: no {JOURNAL} in it; expected the directory of a launched study")
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise StudyError(
            "dashboard needs a package that is not installed: pip install 'aia-study[dashboard]'"
        ) from error
    with local_copy(journal) as path:  # of object storage as it is now: an object does not grow
        _serve(reading(wsgi(read_only(path))), directory, port)


def _serve(application: Application, directory: Location, port: int) -> None:
    try:
        server = make_server(HOST, port, application, server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise StudyError(
            f"--port {port}: cannot listen there ({error.strerror}); choose another, 0 for a free one"
        ) from error
    with server, suppress(KeyboardInterrupt):
        stdout.print(
            f"{directory}: http://{HOST}:{server.server_port}/dashboard shows the search; Ctrl-C ends it"
        )
        server.serve_forever()


def reading(application: Application) -> Application:
    """`application` without what changes anything: only the study's driver writes its journal."""

    def only_reading(environment: Environment, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environment["REQUEST_METHOD"] in READING:
            return application(environment, start_response)
        start_response("405 Method Not Allowed", [("Allow", ", ".join(READING)), ("Content-Length", "0")])
        return [b""]

    return only_reading
