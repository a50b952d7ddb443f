"""A report that follows a running study: served to this machine alone, rendered anew when there are new results."""

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
PAUSE = 4  # times what rendering took: trainings on this machine keep most of it


class LiveReport:
    """The newest page of the study in `directory`, which `render` makes of it and a version, when somebody asks for it
    and not more often than its pause allows; `clock` tells seconds.

    StudyError where there is no study.
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
        self._due = clock()

    def version(self) -> str:
        """What the page's version would be: another one once the `trials` table has other parts.

        A trial exists once its row there does.
        """
        if self._clock() < self._due:
            return self._version
        parts = children(self._directory / "results" / "trials")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def page(self) -> str:
        """The page of the results, or one that waits for the first of them."""
        with self._lock:
            version = self.version()
            if version != self._version:
                began = self._clock()
                self._page, self._version = self._rendered(version), version
                ended = self._clock()
                self._due = ended + PAUSE * (ended - began)
            return self._page

    def _rendered(self, version: str) -> str:
        try:
            return self._render(self._directory, version)
        except AnalysisError as error:
            return waiting_page(self._directory.resolve().name, str(error), version)


def serve(report: LiveReport, port: int) -> None:
    """Serves the report on the loopback interface until interrupted; port 0 takes a free one.

    StudyError for a port that is taken.
    """
    try:
        server = server_of(report, port)
    except OSError as error:
        raise StudyError(f"port {port} cannot be served on: {error.strerror}; give another --port") from error
    matplotlib.use("agg")  # pictures are drawn in the server's threads, which no window's toolkit allows
    with server, terminated_as_interrupted():
        stdout.print(f"report: http://{LOOPBACK}:{server.server_port}/ (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            stdout.print("report: ended")


def server_of(report: LiveReport, port: int) -> ThreadingHTTPServer:
    """A server of the page at `/` and its version at `/version`, bound and not yet serving."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers = {"/": ("text/html", report.page), "/version": ("text/plain", report.version)}
            # A page from elsewhere that resolves its own name to this machine is answered nothing.
            own = self.headers.get("Host", "").rpartition(":")[0] in (LOOPBACK, "localhost")
            if not own or self.path not in answers:
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
            """Nothing: the terminal is the user's."""

    return ThreadingHTTPServer((LOOPBACK, port), Handler)
