"""The driver as a job on the cluster: it goes on when this machine is gone."""

import shlex
from collections.abc import Sequence

from ray.exceptions import AuthenticationError
from ray.job_submission import JobSubmissionClient

from analysis.locations import Location
from study.cluster import code
from study.console import stdout
from study.errors import StudyError


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
        job = client.submit_job(entrypoint=shlex.join(command), runtime_env=code())
    except AuthenticationError as error:
        raise StudyError(
            f"--address {address}: the cluster asks for a token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
        ) from error
    except (ConnectionError, RuntimeError) as error:
        raise StudyError(
            f"--address {address}: no dashboard of a Ray cluster answers there; --detach needs one, as http://HEAD:8265,"
            f" then: aia-study resume {shlex.quote(str(study))} --detach --address ADDR"
        ) from error
    stdout.print(f"job {job} runs {study}")
    stdout.print(f"follow it: ray job logs --follow --address {address} {job}")
    stdout.print(f"its trials: aia-study status {shlex.quote(str(study))}")
    stdout.print(f"end it: ray job stop --address {address} {job}")
