from collections.abc import Callable
from pathlib import Path

import pytest

from aia_models.data.prepared.prepare import open_prepared, prepare
from aia_models.errors import DataError

MakeFaces = Callable[..., Path]


def prepared(folder: Path, attribute: str = "gender", positive: str | None = None) -> Path:
    cache = folder.parent / "cache"
    return prepare(f"folder:{folder}", image_side=16, attributes=(attribute,), positive=positive, cache=cache)


def edit_labels(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    labels = folder / "labels.csv"
    labels.write_text("\n".join(change(labels.read_text().splitlines())) + "\n")


def complaint(folder: Path, attribute: str = "gender", positive: str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        prepared(folder, attribute, positive)
    message = str(caught.value)
    assert "\n" not in message
    cache = folder.parent / "cache"
    assert not cache.exists() or not [*cache.iterdir()], "something half prepared was left"
    return message


def test_missing_folder(tmp_path: Path) -> None:
    assert f"no folder '{tmp_path / 'none'}'" in complaint(tmp_path / "none")


def test_no_folder_given(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"give folder:PATH with a labels\.csv"):
        prepare("folder:", image_side=16, attributes=("gender",), positive=None, cache=tmp_path / "cache")


def test_missing_labels(make_faces: MakeFaces) -> None:
    folder = make_faces()
    (folder / "labels.csv").unlink()
    assert f"{folder / 'labels.csv'} is missing: write one with the header" in complaint(folder)


def test_empty_labels(make_faces: MakeFaces) -> None:
    folder = make_faces()
    (folder / "labels.csv").write_text("")
    assert "labels.csv is empty: its first line must be image,identity" in complaint(folder)


def test_header_alone(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: lines[:1])
    assert "labels.csv holds no rows" in complaint(folder)


def test_missing_columns_says_which_are_there(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: ["file,person,gender", *lines[1:]])
    assert "has no column image or identity: its columns are file, person, gender" in complaint(folder)


def test_missing_attribute_says_which_are_there(make_faces: MakeFaces) -> None:
    assert "labels.csv has no attribute 'Male': its attributes are gender" in complaint(make_faces(), "Male")


def test_column_named_twice(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: [lines[0] + ",gender", *(line + ",m" for line in lines[1:])])
    assert "names the column 'gender' twice" in complaint(folder)


def test_wrong_number_of_cells(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: [*lines[:3], lines[3] + ",extra", *lines[4:]])
    assert "labels.csv line 4: 4 cells, but the header names 3 columns" in complaint(folder)


def test_labels_in_another_encoding(make_faces: MakeFaces) -> None:
    folder = make_faces()
    (folder / "labels.csv").write_bytes(b"image,identity,gender\na.png,Andr\xe9,m\n")
    assert "is not a CSV file in UTF-8" in complaint(folder)


def test_empty_cell(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: [*lines[:2], lines[2].replace("person-000", " "), *lines[3:]])
    assert "labels.csv line 3: 'identity' is empty" in complaint(folder)


def test_unknown_attribute_value(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: [*lines[:4], lines[4].replace("female", "woman"), *lines[5:]])
    assert "labels.csv line 5: 'gender' is 'woman', expected 1/0" in complaint(folder)


def test_missing_image(make_faces: MakeFaces) -> None:
    folder = make_faces()
    (folder / "001-1.png").unlink()
    assert f"labels.csv line 5: there is no image file {folder / '001-1.png'}" in complaint(folder)


@pytest.mark.parametrize(
    "contents", [b"", b"no image", b"\x89PNG\r\n\x1a\n but then nothing", b"\xff\xd8\xff\xe0 cut"]
)
def test_unreadable_image(make_faces: MakeFaces, contents: bytes) -> None:
    folder = make_faces()
    (folder / "023-1.png").write_bytes(contents)
    message = complaint(folder)
    assert message.startswith(f"{folder / '023-1.png'} ({folder / 'labels.csv'} line 49)")
    assert "replace it by a PNG or JPEG file or remove the line" in message


def test_truncated_image(make_faces: MakeFaces) -> None:
    folder = make_faces()
    image = folder / "004-0.png"
    image.write_bytes(image.read_bytes()[:200])
    assert f"{image} ({folder / 'labels.csv'} line 10) cannot be read as an image" in complaint(folder)


def test_image_listed_twice(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: [*lines, "./000-1.png,person-000,male"])
    assert "labels.csv line 50: image './000-1.png' is listed before, on line 3" in complaint(folder)


def test_one_gender_only(make_faces: MakeFaces) -> None:
    message = complaint(make_faces(gender=lambda person: "male"))
    assert "24 identities have gender = 1 and 0 have gender = 0, but at least 8 of each are needed" in message


def test_too_few_identities(make_faces: MakeFaces) -> None:
    message = complaint(make_faces(people=10))
    assert "5 identities have gender = 1 and 5 have gender = 0, but at least 8 of each are needed" in message


def test_too_few_identities_with_two_images(make_faces: MakeFaces) -> None:
    assert "0 identities have 2 or more images, but at least 8 are needed" in complaint(make_faces(images=1))


def test_identity_with_one_image_is_kept(make_faces: MakeFaces) -> None:
    folder = make_faces()
    edit_labels(folder, lambda lines: [line for line in lines if not line.startswith("003-1")])
    faces = open_prepared(prepared(folder))
    assert len(faces) == 47
    assert (faces.identity == faces.identity_names.index("person-003")).sum() == 1


def test_orientation_values(make_faces: MakeFaces) -> None:
    by_word = open_prepared(prepared(make_faces("words"))).attribute("gender")
    by_sign = open_prepared(prepared(make_faces("signs", gender=lambda p: ("1", "-1")[p % 2]))).attribute(
        "gender"
    )
    folder = make_faces("own", gender=lambda p: ("Beard", "no")[p % 2])
    own = open_prepared(prepared(folder, positive="no")).attribute("gender")
    assert by_word.tolist() == by_sign.tolist() == [1, 1, 0, 0] * 12
    assert own.tolist() == [0, 0, 1, 1] * 12


def test_windows_file_with_byte_order_mark_blank_lines_and_quotes(make_faces: MakeFaces) -> None:
    folder = make_faces()
    lines = (folder / "labels.csv").read_text().splitlines()
    quoted = [lines[0].replace(",", " , "), "", lines[1].replace("person-000", '"person-000"'), *lines[2:]]
    (folder / "labels.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(quoted).encode())
    faces = open_prepared(prepared(folder))
    assert len(faces) == 48
    assert faces.identity_names[0] == "person-000"
