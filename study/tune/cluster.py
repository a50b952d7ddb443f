"""Connects to a Ray cluster: one on this machine's cores, or the cluster at an address."""

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
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the study's own tables hold everything that they would write
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",  # a resume reads the tables and the journal, not Tune's snapshots
    "TUNE_MAX_PENDING_TRIALS_PG": "10000",  # the searcher hands out only trials that fit: start all workers at once
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Connect to a Ray cluster: the one that this process already uses, else the one at `address`, or without an
    address a new one on this machine.

    StudyError where no cluster answers at `address`.
    """
    if ray.is_initialized():
        yield
        return
    for name, value in RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    if address and address.startswith("ray://"):  # Tune would run the searcher on another machine
        raise StudyError(
            f"--address {address}: a study's driver has to run on a machine of the cluster: give HEAD:6379 there, or"
            " from anywhere --detach with the dashboard's address, as http://HEAD:8265"
        )
    logging.getLogger("ray").setLevel(logging.ERROR)
    # The progress prints a worker's death in one line.
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        if address:
            environment = {} if IN_A_JOB in os.environ else code()  # the job's own environment holds the code
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
    """Return a runtime environment that sends this project's code to the nodes, which need only its dependencies."""
    packages = [files(name) for name in ("aia_models", "search_spaces", "study", "analysis")]
    return {"py_modules": [str(package) for package in packages], "excludes": ["**/__pycache__"]}
