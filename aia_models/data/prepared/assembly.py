"""The prepared copy of a data set on disk: put together from finished blocks, whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aia_models.data.prepared.blocks import Block
from aia_models.data.sources.labels import Labels


def assemble(
    target: Path,
    blocks: Sequence[Block],
    labels: Labels,
    settings: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    """Makes the folder `target` with images, labels and a manifest that holds `settings` and `facts`.

    Where another process made it meanwhile, its copy stays. OSError where it cannot be written.
    """
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        _write_images(aside, blocks, len(labels.identity), settings["image_side"], digest.update)
        _write_labels(aside, labels, digest.update)
        manifest = {
            "settings": settings,
            "images": len(labels.identity),
            "identities": len(labels.identity_names),
            "attributes": [*labels.attributes],
            **facts,
            "fingerprint": digest.hexdigest(),
        }
        (aside / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        # mkdtemp lets nobody else read; other users of a shared cache may.
        aside.chmod(0o755)
        _publish(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


# Both hand what they write to `feed`, so that the fingerprint covers it.
def _write_images(
    folder: Path, blocks: Sequence[Block], count: int, side: int, feed: Callable[[bytes | memoryview], None]
) -> None:
    with (folder / "images.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, 1, side, side)}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            pixels = block.pixels().data
            file.write(pixels)
            feed(pixels)


def _write_labels(folder: Path, labels: Labels, feed: Callable[[bytes], None]) -> None:
    names = json.dumps(labels.identity_names)
    attributes = np.stack([*labels.attributes.values()])
    np.save(folder / "identity.npy", labels.identity)
    np.save(folder / "attributes.npy", attributes)
    (folder / "identity_names.json").write_text(names, encoding="utf-8")
    feed(labels.identity.astype("<i4").tobytes())
    feed(f"\n{names}\n{json.dumps([*labels.attributes])}\n".encode())
    feed(attributes.tobytes())


def _publish(aside: Path, target: Path) -> None:
    try:
        os.replace(aside, target)
    except OSError:
        # Another process prepared the same data meanwhile: its copy is as good as this one.
        if not target.is_dir():
            raise
