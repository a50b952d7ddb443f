"""A local S3 server in a process of its own, which tests may pause or kill."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

BUCKET = "faces"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class ObjectServer:
    """Moto's S3 server with one bucket. It checks credentials after `unsigned` requests, never if None."""

    def __init__(self, unsigned: int | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        strict = {} if unsigned is None else {"INITIAL_NO_AUTH_ACTION_COUNT": str(unsigned)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | strict,
        )
        self._wait_until_it_answers()
        boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self._port}",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            region_name="us-east-1",
        ).create_bucket(Bucket=BUCKET)

    def uri(self, path: str) -> str:
        """Return the URI of `path`, which is BUCKET/FOLDER..."""
        return f"s3://{path}?endpoint_override=127.0.0.1:{self._port}&scheme=http&region=us-east-1"

    @contextmanager
    def away(self) -> Iterator[None]:
        """Pause the server, which answers no request meanwhile."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _wait_until_it_answers(self) -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                return
            except OSError:
                assert self._process.poll() is None, "the server does not start"
                time.sleep(0.1)
