"""Runs the driver as a job on the cluster, so that the study continues when this machine is switched off."""

import shlex
import time
from collections.abc import Sequence

from ray.exceptions import AuthenticationError
from ray.job_submission import JobSubmissionClient

from analysis.tables.location import Location
from study.console import stderr, stdout
from study.errors import StudyError
from study.trial.rows import one_line
from study.tune.cluster import code

AGENT_SECONDS, POLL_SECONDS = 60.0, 1.0
NO_AGENT = "No available agent"  # part of Ray's error where no node takes jobs yet


def require_address(address: str | None) -> str:
    """Return the address; StudyError where there is none."""
    if address is None:
        raise StudyError("--detach needs --address, a dashboard's as http://HEAD:8265")
    return address


def detach(study: Location, options: Sequence[str], address: str) -> None:
    """Submit a job that resumes `study` to the cluster whose dashboard is at `address`, and print how to follow it.

    StudyError where no dashboard answers, where it asks for a token, or where the cluster takes no job.
    """
    study = study.resolve()
    command = ["python", "-m", "study", "resume", str(study), "--address", "auto", *options]
    again = f"then: aia-study resume {shlex.quote(str(study))} --detach --address"
    try:
        client = _client(address, again)
        job = _submitted(client, shlex.join(command))
    except AuthenticationError as error:
        raise StudyError(
            f"--address {address}: the cluster asks for a token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
        ) from error
    except RuntimeError as error:
        raise StudyError(
            f"--address {address}: the cluster took no job ({one_line(str(error))}); remove the cause, {again}"
            f" {address}"
        ) from error
    stdout.print(f"job {job} runs {study}")
    stdout.print(f"follow it: ray job logs --follow --address {address} {job}")
    stdout.print(f"its trials: aia-study status {shlex.quote(str(study))}")
    stdout.print(f"end it: ray job stop --address {address} {job}")


def _client(address: str, again: str) -> JobSubmissionClient:
    try:
        return JobSubmissionClient(address)
    except (ConnectionError, RuntimeError) as error:  # nothing answers, or not a dashboard
        raise StudyError(
            f"--address {address}: no dashboard of a Ray cluster answers there; --detach needs one, as http://HEAD:8265,"
            f" {again} ADDR"
        ) from error


def _submitted(client: JobSubmissionClient, command: str) -> str:
    """Submit the job and return its id. A cluster that has just started takes no jobs for some seconds: try again."""
    ends = time.monotonic() + AGENT_SECONDS
    has_printed = False
    while True:
        try:
            return client.submit_job(entrypoint=command, runtime_env=code())
        except RuntimeError as error:
            if NO_AGENT not in str(error) or time.monotonic() >= ends:
                raise
            if not has_printed:
                stderr.print(
                    f"no node of the cluster takes jobs yet: asking for {AGENT_SECONDS:.0f} s at most"
                )
                has_printed = True
            time.sleep(POLL_SECONDS)
