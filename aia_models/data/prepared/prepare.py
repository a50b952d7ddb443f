"""Prepares a data set once, for trials to map: images are decoded, cropped and resized, templates checked."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from aia_models.data.faces import FaceDataset
from aia_models.data.prepared.assembly import assemble
from aia_models.data.prepared.blocks import Block, Execute, cut_into_blocks, in_threads
from aia_models.data.sources.label_encoding import Labels, encode_labels
from aia_models.data.sources.readers import read_source
from aia_models.data.sources.source import FaceSource, Remark, SourceTemplates, Unreadable, key_over
from aia_models.data.splits import check_judgeable
from aia_models.errors import DataError

PREPARATION_VERSION = 2
# The encoder halves the image twice.
_SIDE_MULTIPLE = 4
_MIN_SIDE = 16


def prepare(
    source: str,
    *,
    image_side: int,
    attributes: tuple[str, ...],
    positive: str | None,
    cache: Path,
    execute: Execute = in_threads,
) -> Path:
    """Return the folder under `cache` that holds `source` ("KIND:PATH") prepared; prepare it where it does not exist.

    `image_side` is in pixels and has no meaning for templates, `attributes` are the private attributes, and `positive`
    is the value of the first one that becomes 1. The folder's name depends on labels, image files and settings.
    `execute` runs the blocks of images; blocks that an interrupted call finished are reused. Raises DataError, for
    wrong labels before any image is decoded.
    """
    kind, found = read_source(source)
    form = _form(found, image_side)
    labels = encode_labels(found, attributes, positive)
    for name in attributes:
        check_judgeable(labels.identity, labels.attributes[name], name, found.title)
    settings: dict[str, Any] = {
        **form,
        "positive": None if positive is None else {attributes[0]: positive},
        "version": PREPARATION_VERSION,
    }
    key = key_over([kind, found.key, json.dumps(settings, sort_keys=True)])
    size = f"{image_side}px" if "image_side" in form else f"{form['template_values']}-values"
    target = cache / f"{kind}-{size}-{key[:16]}"
    if not target.is_dir():
        try:
            _make(target, kind, found, labels, attributes, settings, execute)
        except (OSError, SafetensorError) as error:
            # Otherwise another process finished the same copy and removed the blocks that both worked on.
            if not target.is_dir():
                raise DataError(f"cannot write the prepared faces to {target}: {error}") from error
    return target


def open_prepared(folder: Path) -> FaceDataset:
    """Open a prepared folder; its images are memory-mapped, and changes to them in memory never reach the files.

    Raises DataError when the folder is not a complete prepared copy of this version.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        version = manifest["settings"]["version"]
        if version != PREPARATION_VERSION:
            raise DataError(
                f"{folder} has preparation version {version}, not {PREPARATION_VERSION}: prepare it again"
            )
        attributes = np.load(folder / "attributes.npy", allow_pickle=False)
        return FaceDataset(
            inputs=np.load(folder / "inputs.npy", mmap_mode="c", allow_pickle=False),
            identity=np.load(folder / "identity.npy", allow_pickle=False),
            identity_names=tuple(json.loads((folder / "identity_names.json").read_text(encoding="utf-8"))),
            attributes=dict(zip(manifest["attributes"], attributes, strict=True)),
            fingerprint=manifest["fingerprint"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{folder} is not a whole prepared data set: remove it and prepare again") from error


def remarks_on(folder: Path) -> list[str]:
    """Return one line for each kind of images or labels that the preparation of `folder` left out."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return [str(Remark(**remark)) for remark in manifest.get("remarks", [])]


def _form(found: FaceSource, image_side: int) -> dict[str, Any]:
    """Return what the form of prepared images or templates depends on; raises DataError for an impossible side."""
    if isinstance(found.images, SourceTemplates):
        return {"template_values": found.images.values}
    if image_side < _MIN_SIDE or image_side % _SIDE_MULTIPLE:
        raise DataError(
            f"image_side is {image_side}: give a multiple of {_SIDE_MULTIPLE} and at least {_MIN_SIDE}"
        )
    return {"image_side": image_side, "crop": "largest centred square", "resize": "bilinear, antialiased"}


def _make(
    target: Path,
    kind: str,
    found: FaceSource,
    labels: Labels,
    attributes: tuple[str, ...],
    settings: Mapping[str, Any],
    execute: Execute,
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    facts: dict[str, Any] = {"kind": kind, "partition": dict(found.partition)}
    if isinstance(found.images, SourceTemplates):
        remarks = [vars(remark) for remark in found.remarks]
        assemble(target, found.images.read(), labels, settings, {**facts, "remarks": remarks})
        return
    # The folder's name covers everything that the blocks depend on, so blocks found there belong to this copy.
    unfinished = target.parent / f".{target.name}.blocks"
    unfinished.mkdir(exist_ok=True)
    blocks = cut_into_blocks(found.images, len(found), settings["image_side"], unfinished.absolute())
    try:
        unreadable = _run(blocks, found, execute)
        remarks = list(found.remarks)
        if unreadable:
            rows = np.ones(len(found), dtype=np.bool_)
            rows[[number for number, _ in unreadable]] = False
            labels = labels.kept(rows)
            for name in attributes:
                check_judgeable(labels.identity, labels.attributes[name], name, found.title)
            remarks.append(
                Remark(len(unreadable), "images cannot be decoded", _describe(found, *unreadable[0]))
            )
    except DataError:
        # Corrected files give the copy another name, so these blocks would never be reused.
        _remove(unfinished)
        raise
    pixels = (block.pixels() for block in blocks)
    assemble(target, pixels, labels, settings, {**facts, "remarks": [vars(remark) for remark in remarks]})
    _remove(unfinished)


def _run(blocks: Sequence[Block], found: FaceSource, execute: Execute) -> list[tuple[int, Unreadable]]:
    unreadable: list[tuple[int, Unreadable]] = []
    with closing(execute(blocks)) as reports:
        for report in reports:
            unreadable += report.unreadable
            if unreadable:
                _check_share(found, unreadable)
    return sorted(unreadable, key=lambda numbered: numbered[0])


def _check_share(found: FaceSource, unreadable: Sequence[tuple[int, Unreadable]]) -> None:
    first = _describe(found, *unreadable[0])
    if not found.tolerated_share:
        raise DataError(f"{first}: replace it by a PNG or JPEG file or remove the line")
    listed = len(found) + found.missing
    if found.missing + len(unreadable) > found.tolerated_share * listed:
        raise DataError(
            f"{found.title}: {len(unreadable):,} images cannot be decoded and {found.missing:,} are missing, "
            f"more than {found.tolerated_share:.0%} of {listed:,}; the first: {first}: replace them"
        )


def _describe(found: FaceSource, number: int, image: Unreadable) -> str:
    return f"{image.path} ({found.places(number)}) {image.why}"


def _remove(folder: Path) -> None:
    # Another process may write blocks into the same folder; once renamed, the folder can no longer grow.
    doomed = tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent)
    with suppress(FileNotFoundError):
        folder.rename(Path(doomed, folder.name))
    shutil.rmtree(doomed, ignore_errors=True)
