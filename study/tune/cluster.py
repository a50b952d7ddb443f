"""The Ray cluster that work runs on: this machine's cores, or a cluster at an address."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import ray

from study.errors import StudyError

OBJECT_STORE_BYTES = 256 * 2**20  # faces are memory-mapped from disk: Ray's store carries next to nothing
IN_A_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # set by Ray where this process is the driver of a submitted job
RAY_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the study's own tables hold what they would write
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",  # a resume reads the tables and the journal, not Tune's snapshots
    "TUNE_MAX_PENDING_TRIALS_PG": "10000",  # the searcher knows how many fit: their workers start side by side
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """A Ray cluster: the one at `address`, the one this process is part of, or a local one of its own.

    StudyError where no cluster answers at `address`.
    """
    if ray.is_initialized():
        yield
        return
    for name, value in RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    if address and address.startswith("ray://"):  # Tune would run the searcher elsewhere
        raise StudyError(
            f"--address {address}: a study's driver has to run on a machine of the cluster: give HEAD:6379 there, or"
            " from anywhere --detach with the dashboard's address, as http://HEAD:8265"
        )
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # a worker's death is told in one line
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address:
            environment = {} if IN_A_JOB in os.environ else code()  # a job has brought the code along
            ray.init(address=address, runtime_env=environment, **quiet)
        else:
            # "local": another cluster on this machine is joined only where --address says so.
            ray.init("local", include_dashboard=False, object_store_memory=OBJECT_STORE_BYTES, **quiet)
    except (ConnectionError, ValueError) as error:
        raise StudyError(
            f"--address {address}: no Ray cluster answers; start one: ray start --head"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def code() -> dict[str, Any]:
    """A runtime environment with the project's packages as they are here: other nodes need only what they depend on."""
    packages = [files(name) for name in ("aia_models", "search_spaces", "study", "analysis")]
    return {"py_modules": [str(package) for package in packages], "excludes": ["**/__pycache__"]}
