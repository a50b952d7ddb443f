"""The cache of prepared faces: one copy beside the studies, and for object storage one more on every node."""

import fcntl
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from analysis.tables.location import Location, ObjectPath, location
from study.storage.paths import PREPARED

MANIFEST = "manifest.json"


def preparation_folder(storage: Location) -> Path:
    """Return the local folder in which faces are prepared for the studies in `storage`."""
    return storage / PREPARED if isinstance(storage, Path) else _node_cache()


def share_prepared(prepared: Path, storage: Location) -> Location:
    """Return the path or URI at which every node finds the faces in `prepared`; they are uploaded if necessary."""
    if isinstance(storage, Path):
        return prepared.resolve()
    target = storage / PREPARED / prepared.name
    if not (target / MANIFEST).is_file():
        names = sorted((path.name for path in prepared.iterdir()), key=lambda name: (name == MANIFEST, name))
        for name in names:  # the manifest is uploaded last: its presence says that the copy is complete
            (target / name).upload(prepared / name)
    return target


def find_prepared(storage: Location, fingerprint: str) -> Path | None:
    """Return a local copy of the prepared faces with that fingerprint, or None if object storage has none.

    A study in object storage can thus be resumed on a machine without the data set. Always None on a file system.
    """
    if isinstance(storage, Path):
        return None
    for name in (storage / PREPARED).children():
        manifest = storage / PREPARED / name / MANIFEST
        with suppress(FileNotFoundError):
            if json.loads(manifest.read_text())["fingerprint"] == fingerprint:
                return fetch_prepared(str(manifest.parent))
    return None


def fetch_prepared(prepared: str) -> Path:
    """Return the local folder of the prepared faces at a path or URI.

    A URI is downloaded once per node; the processes of the node share the copy.
    """
    source = location(prepared)
    if not isinstance(source, ObjectPath):
        return source
    target = _node_cache() / source.name
    descriptor = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not (target / MANIFEST).is_file():
            source.download(target)
    finally:
        os.close(descriptor)
    return target


def _node_cache() -> Path:
    """Return this node's folder of prepared faces, created if missing.

    Studies of all storages share it: the name of a folder in it is derived from everything that the faces depend on.
    """
    cache = Path(tempfile.gettempdir(), f"aia-study-{os.getuid()}", "prepared")
    cache.mkdir(parents=True, exist_ok=True)
    return cache
