"""What `front` and `select` print of the attackers beside the one that counts, and of the certificate."""

import json
from pathlib import Path

import pytest

from study.cli import run
from tests.study.small_study import trial, write_study

FURTHER = {
    "linked_attacker_auc_validation": 0.811,
    "gallery_attacker_auc_validation": 0.822,
    "decoded_attacker_auc_validation": 0.833,
    "other_attacker_auc_validation": 0.844,
    "attacker_auc_10_releases_validation": 0.855,
    "certified_attacker_auc": 0.866,
    "certificate_method": "hoeffding",
    "certificate_words": 16,
    "certificate_people": 120,
}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "s", [trial(0), trial(1, **FURTHER), trial(2)])


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_front_shows_linked_attackers_and_certificates_where_a_design_has_them(
    capsys: pytest.CaptureFixture[str], study: Path, tmp_path: Path
) -> None:
    lines = printed(capsys, "front", study).splitlines()
    header = next(line for line in lines if line.startswith("trial"))
    assert header.index("attacker AUC") < header.index("linked attacker") < header.index("certified")
    (row,) = (line for line in lines if line.startswith("trial-00001"))
    assert "0.811" in row
    assert "0.866" in row
    without = printed(capsys, "front", write_study(tmp_path / "without"))
    assert "attacker AUC" in without
    assert "linked attacker" not in without
    assert "certified" not in without


def test_front_as_json_has_them_beside_the_attacker(capsys: pytest.CaptureFixture[str], study: Path) -> None:
    rows = json.loads(printed(capsys, "front", study, "--format", "json"))
    names = list(rows[0])
    place = names.index("attacker_auc_validation_high")
    assert names[place + 1 : place + 3] == ["linked_attacker_auc_validation", "certified_attacker_auc"]
    assert [row["certificate_method"] for row in rows] == [None, "hoeffding", None]


def test_select_shows_every_further_attacker_and_the_certificate_where_known(
    capsys: pytest.CaptureFixture[str], study: Path
) -> None:
    lines = printed(capsys, "select", study, "--max-linked-attacker-auc", "0.82").splitlines()
    assert lines[0].endswith("checkpoints/trial-00001")
    assert "the highest matching AUC with linked attacker AUC <= 0.82" in lines[1]
    shown = [line.strip() for line in lines]
    for line in (
        "linked attacker AUC: 0.811",
        "gallery attacker AUC: 0.822",
        "attacker AUC, decoded images: 0.833",
        "attacker AUC, other data set: 0.844",
        "attacker AUC, mean of 10 releases: 0.855",
        "certified attacker AUC: 0.866 (hoeffding, 16 words, 120 people)",
    ):
        assert line in shown
    assert "without the limits: trial trial-00002" in "\n".join(shown)
    other = printed(capsys, "select", study, "--min-matching-auc", "0.5")
    assert "linked" not in other
    assert "certified" not in other


def test_a_limit_on_linked_attackers_that_nothing_meets_is_one_line(
    capsys: pytest.CaptureFixture[str], study: Path
) -> None:
    assert run(["select", str(study), "--max-linked-attacker-auc", "0.7"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "linked attacker AUC <= 0.7: the nearest is trial trial-00001" in line
    assert "linked attacker AUC 0.811" in line
