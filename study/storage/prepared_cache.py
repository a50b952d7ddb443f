"""Prepared faces: one copy in the studies' storage, and one on each node where that is object storage."""

import fcntl
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from analysis.tables.location import Location, ObjectPath, location
from study.storage.paths import PREPARED

MANIFEST = "manifest.json"


def cache_of(storage: Location) -> Path:
    """The local folder into which faces are prepared for studies in `storage`."""
    return storage / PREPARED if isinstance(storage, Path) else _node_cache()


def shared(prepared: Path, storage: Location) -> Location:
    """Where nodes find faces that are prepared here; put there unless they are."""
    if isinstance(storage, Path):
        return prepared.resolve()
    target = storage / PREPARED / prepared.name
    if not (target / MANIFEST).is_file():
        names = sorted((path.name for path in prepared.iterdir()), key=lambda name: (name == MANIFEST, name))
        for name in names:  # the manifest last: with it the copy is whole
            (target / name).upload(prepared / name)
    return target


def found(storage: Location, fingerprint: str) -> Path | None:
    """The faces of that fingerprint where object storage has them: who goes on with a study needs no data set."""
    if isinstance(storage, Path):
        return None
    for name in (storage / PREPARED).children():
        manifest = storage / PREPARED / name / MANIFEST
        with suppress(FileNotFoundError):
            if json.loads(manifest.read_text())["fingerprint"] == fingerprint:
                return on_this_node(str(manifest.parent))
    return None


def on_this_node(prepared: str) -> Path:
    """The local folder of prepared faces, which all processes of a node share: fetched once where it is a URI."""
    where = location(prepared)
    if not isinstance(where, ObjectPath):
        return where
    target = _node_cache() / where.name
    descriptor = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not (target / MANIFEST).is_file():
            where.download(target)
    finally:
        os.close(descriptor)
    return target


def _node_cache() -> Path:
    """The names in it say all that the faces depend on: studies of any storage share it."""
    cache = Path(tempfile.gettempdir(), f"aia-study-{os.getuid()}", "prepared")
    cache.mkdir(parents=True, exist_ok=True)
    return cache
