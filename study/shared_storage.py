"""Whether every node of the cluster writes where the driver reads."""

import uuid
from pathlib import Path

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from study.errors import StudyError


def require_shared(directory: Path) -> None:
    """StudyError where a node of several does not write into `directory` as this process sees it.

    Trials on such a node would leave their checkpoints on a disk of its own.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    if len(nodes) == 1:
        return
    token = uuid.uuid4().hex
    probes = {node["NodeID"]: directory / f".probe-{token}-{node['NodeID']}" for node in nodes}
    written = {
        name: _write.options(scheduling_strategy=NodeAffinitySchedulingStrategy(name, soft=False)).remote(
            str(probe), token
        )
        for name, probe in probes.items()
    }
    try:
        apart = [
            node for node in nodes if not _is_seen(written[node["NodeID"]], probes[node["NodeID"]], token)
        ]
    finally:
        for probe in probes.values():
            probe.unlink(missing_ok=True)
    if apart:
        named = ", ".join(sorted(node["NodeManagerAddress"] for node in apart))
        raise StudyError(
            f"{directory}: {len(apart)} of {len(nodes)} nodes do not write there as this machine sees it ({named});"
            " --storage needs a directory that all nodes share"
        )


@ray.remote(num_cpus=0, max_retries=0)
def _write(path: str, content: str) -> None:
    Path(path).write_text(content)


def _is_seen(written: ray.ObjectRef, probe: Path, content: str) -> bool:
    try:
        ray.get(written)
        return probe.read_text() == content
    except (RayTaskError, OSError):  # it could not write there, or what it wrote is not here
        return False
    except RayError:  # the node is leaving: no trial will run on it
        return True
