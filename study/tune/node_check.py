"""Whether every node of the cluster writes where the driver reads."""

import uuid
from contextlib import suppress

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.errors import StudyError
from study.storage.study_storage import StudyStorage, open_storage


def require_shared(place: StudyStorage) -> None:
    """StudyError where a node of several does not write into the study as this process sees it.

    Trials on such a node would leave their checkpoints on a disk of its own, or nowhere.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    if len(nodes) == 1:
        return
    token = uuid.uuid4().hex
    probes = {node["NodeID"]: f".probe-{token}-{node['NodeID']}" for node in nodes}
    where = str(place.location.resolve())
    written = {
        name: _write.options(scheduling_strategy=NodeAffinitySchedulingStrategy(name, soft=False)).remote(
            where, probe, token
        )
        for name, probe in probes.items()
    }
    try:
        apart = [
            node
            for node in nodes
            if not _is_seen(written[node["NodeID"]], place, probes[node["NodeID"]], token)
        ]
    finally:
        for probe in probes.values():
            with suppress(OSError):
                place.remove(probe)
    if apart:
        named = ", ".join(sorted(node["NodeManagerAddress"] for node in apart))
        raise StudyError(
            f"{place}: {len(apart)} of {len(nodes)} nodes do not write there as this machine sees it ({named});"
            " --storage needs a directory that all nodes share, or object storage that all have credentials for"
        )


@ray.remote(num_cpus=0, max_retries=0)
def _write(where: str, name: str, content: str) -> None:
    place = open_storage(where)
    (place.directory / name).write_text(content)
    place.upload_and_drop(name)


def _is_seen(written: ray.ObjectRef, place: StudyStorage, name: str, content: str) -> bool:
    try:
        ray.get(written)
        return place.download(name).read_text() == content
    except (RayTaskError, OSError):  # it could not write there, or what it wrote is not here
        return False
    except RayError:  # the node is leaving: no trial will run on it
        return True
