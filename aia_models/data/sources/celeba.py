"""Reader of `celeba:PATH`: CelebA, whole or a subset, as published, as torchvision stores it, or with .csv files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aia_models.data.sources.annotations import Annotation, read_annotation
from aia_models.data.sources.categorical import Categorical
from aia_models.data.sources.image_files import TOLERATED_SHARE, ImageFiles, files_below
from aia_models.data.sources.source import FaceSource, Remark, key_over
from aia_models.errors import DataError

# In the order of list_attr_celeba.txt, for copies without its header.
ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips",
    "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin",
    "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open",
    "Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline",
    "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat",
    "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip
PARTITIONS = {"0": "train", "1": "validation", "2": "test"}
_IMAGES = "img_align_celeba"
_ATTRIBUTE_LIST, _IDENTITY_LIST, _PARTITION_LIST = (
    "list_attr_celeba",
    "identity_CelebA",
    "list_eval_partition",
)
# The published archives unpack into these folders; some copies have one more around the images.
_FOLDERS = ("", "Anno", "Eval", "Img", _IMAGES)
# `torchvision.datasets.CelebA(root)` keeps everything in this folder of its root.
_TORCHVISION_FOLDER = "celeba"


def read_celeba(location: str) -> FaceSource:
    """List the images that have a file, an identity and attributes; every attribute becomes a column.

    `location` is the folder that holds `img_align_celeba/`, `list_attr_celeba.txt`, `identity_CelebA.txt` and perhaps
    `list_eval_partition.txt`, or the root that `torchvision.datasets.CelebA` takes, whose folder `celeba` holds them.
    Up to a tenth of the images that both annotations name may be missing. Images that an annotation lacks are left out
    and counted in a remark. Raises DataError naming the file, the line and the remedy.
    """
    root = Path(location).expanduser()
    if not location or not root.is_dir():
        raise DataError(f"no folder '{location}': give celeba:PATH with {_IMAGES}/ and {_ATTRIBUTE_LIST}.txt")
    if not _annotation_files(root, _ATTRIBUTE_LIST) and (root / _TORCHVISION_FOLDER).is_dir():
        root /= _TORCHVISION_FOLDER
    attributes = read_annotation(_annotation_file(root, _ATTRIBUTE_LIST), ATTRIBUTES)
    identities = read_annotation(_annotation_file(root, _IDENTITY_LIST), ["identity"])
    _check_named(identities)
    partition = _read_partition(root)
    folder, files = _image_folder(root)
    listed = [image for image in attributes.rows if image in identities.rows]
    if not listed:
        raise DataError(
            f"{attributes.path} and {identities.path} have no image in common: give both of one copy"
        )
    kept = [image for image in listed if image in files]
    missing = [image for image in listed if image not in files]
    _check_missing(missing, listed, folder, identities)
    known = set(listed)
    unlisted = sorted(files.keys() - known)
    attribute_rows, identity_rows = (
        np.array([annotation.rows[image] for image in kept]) for annotation in (attributes, identities)
    )
    return FaceSource(
        title=str(root),
        key=key_over(
            [
                *(part.digest for part in (attributes, identities, partition) if part),
                *((image, *files[image]) for image in kept),
            ]
        ),
        identities=_values(identities).taken(identity_rows),
        columns={name: column.taken(attribute_rows) for name, column in attributes.columns.items()},
        places=lambda row: attributes.place(kept[row]),
        images=ImageFiles(str(folder.absolute()), kept),
        missing=len(missing),
        tolerated_share=TOLERATED_SHARE,
        remarks=(
            *_remark(missing, "listed images are missing", identities),
            *_remark(unlisted, f"images lack an identity or attributes in the annotations of {root}"),
        ),
        partition=_partition_counts(kept, partition),
    )


def _annotation_file(root: Path, stem: str) -> Path:
    found = _annotation_files(root, stem)
    if not found:
        raise DataError(f"{root / stem}.txt is missing (.csv does too): copy it there from CelebA")
    if len(found) > 1:
        raise DataError(f"{found[0]} and {found[1]} are both there: remove one of the two")
    return found[0]


def _annotation_files(root: Path, stem: str) -> list[Path]:
    candidates = [root / folder / f"{stem}{suffix}" for folder in _FOLDERS for suffix in (".txt", ".csv")]
    return [path for path in candidates if path.is_file()]


def _read_partition(root: Path) -> Annotation | None:
    if not _annotation_files(root, _PARTITION_LIST):
        return None
    partition = read_annotation(_annotation_file(root, _PARTITION_LIST), ["partition"])
    values = _values(partition)
    for category in values.present():
        if values.categories[category] not in PARTITIONS:
            image = list(partition.rows)[int(np.argmax(values.codes == category))]
            value = values.categories[category]
            raise DataError(f"{partition.place(image)}: the partition is '{value}', expected 0, 1 or 2")
    return partition


def _values(annotation: Annotation) -> Categorical:
    """Return the only column of an annotation that has one value per image."""
    if len(annotation.columns) != 1:
        names = ", ".join(annotation.columns)
        raise DataError(
            f"{annotation.path} has {len(annotation.columns)} values per image ({names}), expected one"
        )
    (column,) = annotation.columns.values()
    return column


def _check_named(identities: Annotation) -> None:
    """Raise DataError where an identity is empty: all images without one would count as one person."""
    people = _values(identities)
    if "" in people.categories:
        row = int(np.argmax(people.codes == people.categories.index("")))
        raise DataError(
            f"{identities.path} line {identities.lines[row]}: the identity is empty, every row needs one"
        )


def _partition_counts(kept: Sequence[str], partition: Annotation | None) -> dict[str, int]:
    if partition is None:
        return {}
    values = _values(partition)
    rows = [partition.rows[image] for image in kept if image in partition.rows]
    counts = Counter(PARTITIONS[value] for value in values.taken(np.array(rows, dtype=np.int64)))
    counts["none"] = len(kept) - len(rows)
    return {name: counts[name] for name in (*PARTITIONS.values(), "none") if counts[name]}


def _image_folder(root: Path) -> tuple[Path, dict[str, tuple[int, int]]]:
    for folder in _FOLDERS:
        images = root / folder / _IMAGES
        files = files_below(images) if images.is_dir() else {}
        if files:
            return images, files
    raise DataError(f"{root / _IMAGES} is missing or holds no images: unpack img_align_celeba.zip there")


def _check_missing(
    missing: Sequence[str], listed: Sequence[str], folder: Path, identities: Annotation
) -> None:
    if len(missing) > TOLERATED_SHARE * len(listed):
        raise DataError(
            f"{len(missing):,} of {len(listed):,} listed images are missing in {folder}, the first {missing[0]} "
            f"({identities.place(missing[0])}), more than {TOLERATED_SHARE:.0%}: add them, or for a subset cut "
            f"{identities.path.name} to its images"
        )


def _remark(images: Sequence[str], what: str, listing: Annotation | None = None) -> list[Remark]:
    if not images:
        return []
    first = images[0]
    return [Remark(len(images), what, f"{first} ({listing.place(first)})" if listing else first)]
