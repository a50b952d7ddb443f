"""Assembly of prepared images or templates into one folder of memory-mappable files, which appears as a whole."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aia_models.atomic_write import atomic_write
from aia_models.data.sources.label_encoding import Labels


def assemble(
    target: Path,
    arrays: Iterable[np.ndarray],
    labels: Labels,
    settings: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    """Write the folder `target` atomically: inputs, labels and a manifest that holds `settings` and `facts`.

    `arrays` are the images or templates of all labels, in order, some at a time. A copy that another process has
    finished in the meantime is kept: its content is the same. Raises OSError where the folder cannot be written.
    """
    try:
        with atomic_write(target) as folder:
            folder.mkdir()
            digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
            _write_inputs(folder, arrays, len(labels.identity), digest.update)
            _write_labels(folder, labels, digest.update)
            manifest = {
                "settings": settings,
                "images": len(labels.identity),
                "identities": len(labels.identity_names),
                "attributes": [*labels.attributes],
                **facts,
                "fingerprint": digest.hexdigest(),
            }
            (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    except OSError:
        # No folder replaces one that holds files, so another process's copy is the likely cause.
        if not target.is_dir():
            raise


# Both pass what they write to `feed`, so that the fingerprint covers it.
def _write_inputs(
    folder: Path, arrays: Iterable[np.ndarray], count: int, feed: Callable[[bytes | memoryview], None]
) -> None:
    with (folder / "inputs.npy").open("wb") as file:
        for number, array in enumerate(arrays):
            if number == 0:
                shape = (count, *array.shape[1:])
                header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(array.data)
            feed(array.data)


def _write_labels(folder: Path, labels: Labels, feed: Callable[[bytes], None]) -> None:
    names = json.dumps(labels.identity_names)
    attributes = np.stack([*labels.attributes.values()])
    np.save(folder / "identity.npy", labels.identity)
    np.save(folder / "attributes.npy", attributes)
    (folder / "identity_names.json").write_text(names, encoding="utf-8")
    feed(labels.identity.astype("<i4").tobytes())
    feed(f"\n{names}\n{json.dumps([*labels.attributes])}\n".encode())
    feed(attributes.tobytes())
