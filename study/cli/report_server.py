"""A live report: a page served to this machine alone, which is rendered again when a study has new results."""

import hashlib
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import matplotlib

from analysis.errors import AnalysisError
from analysis.report.render import waiting_page
from analysis.tables.location import Location, children
from study.console import stdout
from study.errors import StudyError
from study.interrupts import terminated_as_interrupted
from study.storage.paths import SPEC_FILE

LOOPBACK = "127.0.0.1"
PAUSE_FACTOR = 4  # times the rendering time: the trainings on this machine keep most of its cores


class LiveReport:
    """The newest page of the study in `directory`.

    The page is rendered on request by `render(directory, version)`, and after that again only when results are new and
    `PAUSE_FACTOR` times the rendering time has passed on `clock`, in seconds. Raises StudyError if there is no study.
    """

    def __init__(
        self,
        directory: Location,
        render: Callable[[Location, str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not (directory / SPEC_FILE).is_file():
            raise StudyError(f"{directory}: no {SPEC_FILE} in it; expected the directory of a launched study")
        self._directory = directory
        self._render = render
        self._clock = clock
        self._lock = threading.Lock()
        self._version = self._page = ""
        self._next_check = clock()

    def version(self) -> str:
        """Return the version of the results, a hash of the names of the `trials` table's parts.

        It stays the same until the next rendering is allowed.
        """
        if self._clock() < self._next_check:
            return self._version
        parts = children(self._directory / "results" / "trials")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def page(self) -> str:
        """Return the page of the current results, or a page that waits for the first results."""
        with self._lock:
            version = self.version()
            if version != self._version:
                start = self._clock()
                self._page, self._version = self._render_or_wait(version), version
                end = self._clock()
                self._next_check = end + PAUSE_FACTOR * (end - start)
            return self._page

    def _render_or_wait(self, version: str) -> str:
        try:
            return self._render(self._directory, version)
        except AnalysisError as error:
            return waiting_page(self._directory.resolve().name, str(error), version)


def serve(report: LiveReport, port: int) -> None:
    """Serve the report on the loopback interface until Ctrl-C; port 0 takes a free port.

    Raises StudyError for a port that is taken.
    """
    try:
        server = make_server(report, port)
    except OSError as error:
        raise StudyError(
            f"port {port} cannot be served on: {error.strerror}; choose another --port"
        ) from error
    matplotlib.use("agg")  # the server draws in threads, where window toolkits fail
    with server, terminated_as_interrupted():
        stdout.print(f"report: http://{LOOPBACK}:{server.server_port}/ (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            stdout.print("report: ended")


def make_server(report: LiveReport, port: int) -> ThreadingHTTPServer:
    """Return a server of the page at `/` and its version at `/version` that is bound to `port` but not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers = {"/": ("text/html", report.page), "/version": ("text/plain", report.version)}
            # A foreign web page may resolve its own host name to this machine (DNS rebinding): it gets no answer.
            is_local = self.headers.get("Host", "").rpartition(":")[0] in (LOOPBACK, "localhost")
            if not is_local or self.path not in answers:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            kind, answer = answers[self.path]
            content = answer().encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing, since the terminal belongs to the user."""

    return ThreadingHTTPServer((LOOPBACK, port), Handler)
