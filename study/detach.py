"""The driver as a job on the cluster: it goes on when this machine is gone."""

import shlex
import time
from collections.abc import Sequence

from ray.exceptions import AuthenticationError
from ray.job_submission import JobSubmissionClient

from analysis.locations import Location
from study.cluster import code
from study.console import stdout
from study.errors import StudyError
from study.outcome import one_line

AGENT_SECONDS = 60.0
NO_AGENT = "No available agent"  # how Ray says so


def require_address(address: str | None) -> str:
    """StudyError where nobody said which cluster."""
    if address is None:
        raise StudyError("--detach needs --address, a dashboard's as http://HEAD:8265")
    return address


def detach(study: Location, options: Sequence[str], address: str) -> None:
    """Has the cluster whose dashboard is at `address` resume `study`, and prints how to follow it.

    StudyError where no dashboard answers there.
    """
    study = study.resolve()
    command = ["python", "-m", "study", "resume", str(study), "--address", "auto", *options]
    try:
        client = JobSubmissionClient(address)
        job = _submitted(client, shlex.join(command))
    except AuthenticationError as error:
        raise StudyError(
            f"--address {address}: the cluster asks for a token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
        ) from error
    except (ConnectionError, RuntimeError) as error:
        again = f"then: aia-study resume {shlex.quote(str(study))} --detach --address"
        if isinstance(error, ConnectionError):
            raise StudyError(
                f"--address {address}: no dashboard of a Ray cluster answers there; --detach needs one, as"
                f" http://HEAD:8265, {again} ADDR"
            ) from error
        reason = one_line(str(error))
        raise StudyError(
            f"--address {address}: the cluster took no job ({reason}); wait until a node of it is up, {again} {address}"
        ) from error
    stdout.print(f"job {job} runs {study}")
    stdout.print(f"follow it: ray job logs --follow --address {address} {job}")
    stdout.print(f"its trials: aia-study status {shlex.quote(str(study))}")
    stdout.print(f"end it: ray job stop --address {address} {job}")


def _submitted(client: JobSubmissionClient, command: str) -> str:
    """The job's id. A cluster that has just started takes none for some seconds, and is asked again."""
    ends = time.monotonic() + AGENT_SECONDS
    while True:
        try:
            return client.submit_job(entrypoint=command, runtime_env=code())
        except RuntimeError as error:
            if NO_AGENT not in str(error) or time.monotonic() >= ends:
                raise
            time.sleep(1.0)
