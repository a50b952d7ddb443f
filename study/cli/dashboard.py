"""The command `dashboard` serves optuna-dashboard on a study's journal, read-only and to this machine alone."""

from collections.abc import Iterable
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from analysis.tables.location import Location, local_copy
from study.console import stdout
from study.errors import StudyError
from study.search.journal import read_only
from study.storage.paths import JOURNAL

HOST = "127.0.0.1"  # the page has no login
READ_METHODS = ("GET", "HEAD")


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    """A server that answers the simultaneous requests of a browser in threads."""

    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing, since an open page sends requests every few seconds."""


def dashboard(directory: Location, port: int) -> None:
    """Print the address of the page of the study in `directory` and serve it until Ctrl-C.

    Port 0 takes a free port. Raises StudyError without a journal, without the package optuna-dashboard, and for a
    port that is taken.
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
    with local_copy(
        journal
    ) as path:  # a journal in object storage is downloaded once and shown as it was then
        _serve(refuse_writes(wsgi(read_only(path))), directory, port)


def _serve(application: WSGIApplication, directory: Location, port: int) -> None:
    try:
        server = make_server(
            HOST, port, application, server_class=_ThreadingServer, handler_class=_SilentHandler
        )
    except OSError as error:
        raise StudyError(
            f"--port {port}: cannot listen there ({error.strerror}); choose another port, or 0 for a free one"
        ) from error
    with server, suppress(KeyboardInterrupt):
        stdout.print(
            f"{directory}: http://{HOST}:{server.server_port}/dashboard shows the search; Ctrl-C ends it"
        )
        server.serve_forever()


def refuse_writes(application: WSGIApplication) -> WSGIApplication:
    """Return `application` behind a filter that answers every request but GET and HEAD with status 405.

    Only the driver of a study may write its journal.
    """

    def read_only_application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in READ_METHODS:
            return application(environ, start_response)
        start_response(
            "405 Method Not Allowed", [("Allow", ", ".join(READ_METHODS)), ("Content-Length", "0")]
        )
        return []

    return read_only_application
