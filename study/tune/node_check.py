"""Checks that every node of the cluster writes into the study where the driver reads it."""

import uuid
from contextlib import suppress

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.errors import StudyError
from study.storage.study_storage import StudyStorage, open_storage


def require_shared(storage: StudyStorage) -> None:
    """StudyError where the cluster has several nodes and a file that one of them writes is not seen by this process.

    The checkpoints of trials on such a node would stay on that node's own disk, or be lost.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    if len(nodes) == 1:
        return
    token = uuid.uuid4().hex
    probes = {node["NodeID"]: f".probe-{token}-{node['NodeID']}" for node in nodes}
    study = str(storage.location.resolve())
    written = {
        name: _write.options(scheduling_strategy=NodeAffinitySchedulingStrategy(name, soft=False)).remote(
            study, probe, token
        )
        for name, probe in probes.items()
    }
    try:
        not_shared = [
            node
            for node in nodes
            if not _is_seen(written[node["NodeID"]], storage, probes[node["NodeID"]], token)
        ]
    finally:
        for probe in probes.values():
            with suppress(OSError):
                storage.remove(probe)
    if not_shared:
        addresses = ", ".join(sorted(node["NodeManagerAddress"] for node in not_shared))
        raise StudyError(
            f"{storage}: {len(not_shared)} of {len(nodes)} nodes do not write there as this machine sees it"
            f" ({addresses}); --storage needs a directory that all nodes share, or object storage that all have"
            " credentials for"
        )


@ray.remote(num_cpus=0, max_retries=0)
def _write(study: str, name: str, content: str) -> None:
    storage = open_storage(study)
    (storage.directory / name).write_text(content)
    storage.upload_and_drop(name)


def _is_seen(written: ray.ObjectRef, storage: StudyStorage, name: str, content: str) -> bool:
    try:
        ray.get(written)
        return storage.download(name).read_text() == content
    except (RayTaskError, OSError):  # the node could not write, or its file is not visible here
        return False
    except RayError:  # the node is leaving: no trial will run on it
        return True
