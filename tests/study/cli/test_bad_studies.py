"""Commands say what is wrong with a study that is missing, empty, damaged or of another release."""

import json
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from aia_models.judging.judge import JUDGE_VERSION
from analysis.tables.schema import SCHEMA_KEY, SCHEMA_VERSION, SCHEMAS
from study.cli import run
from study.storage.results_store import read_schema_version
from study.storage.study_storage import StudyStorage
from tests.study.small_study import TRIALS, trial, write_study

FIGURES = ("attacker_auc_validation", "matching_auc_validation")
COMMANDS = {
    "front": [],
    "select": ["--max-attacker-auc", "0.65"],
    "status": [],
    "plot": ["-o", "frontier.png"],
    "fetch": ["trial-00000", "-o", "fetched"],
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def study(here: Path) -> Path:
    return write_study(here / "s")


def answer(capsys: pytest.CaptureFixture, command: str, *more: str) -> tuple[list[str], list[str]]:
    """Return the lines that a command on study `s` prints on stdout and on stderr."""
    assert run([command, "s", *COMMANDS[command], *more]) == 0
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


def refusal(capsys: pytest.CaptureFixture, command: str) -> str:
    assert run([command, "s", *COMMANDS[command]]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1, err
    return err


def part(study: Path, number: int, table: str = "trials") -> Path:
    return study / "results" / table / f"part-{number:05d}.parquet"


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def give_version(path: Path, version: int) -> None:
    table = pq.read_table(path)
    metadata = {**(table.schema.metadata or {}), SCHEMA_KEY: str(version).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.mark.parametrize("command", COMMANDS)
class TestEveryCommand:
    def test_a_whole_study_is_read_without_a_word_on_stderr(self, capsys, study, command):
        assert answer(capsys, command)[1] == []

    def test_a_directory_that_is_no_study(self, capsys, here, command):
        (here / "s").mkdir()
        assert "s: no study.toml in it; expected the directory of a launched study" in refusal(
            capsys, command
        )

    def test_a_spec_that_is_no_toml(self, capsys, study, command):
        (study / "study.toml").write_text("name = \nx")
        assert "s/study.toml cannot be read" in refusal(capsys, command)

    def test_a_study_without_a_finished_trial(self, capsys, here, command):
        write_study(here / "s", rows=[])
        assert "s: no trial has finished yet" in refusal(capsys, command)

    @pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
    def test_a_part_of_another_release(self, capsys, study, command, version):
        give_version(part(study, 2), version)
        expected = (
            f"part-00002.parquet has table version {version}, this release has version {SCHEMA_VERSION}: "
        )
        assert expected in refusal(capsys, command)

    def test_a_part_of_another_tool(self, capsys, study, command):
        pq.write_table(pq.read_table(part(study, 2)).replace_schema_metadata(), part(study, 2))
        assert "part-00002.parquet has table version unknown, " in refusal(capsys, command)

    @pytest.mark.parametrize("damage", [truncate, lambda path: path.write_bytes(b"")])
    def test_a_damaged_part_is_named_and_the_rest_is_read(self, capsys, study, command, damage):
        damage(part(study, 3))
        _, err = answer(capsys, command)
        assert len(err) == 1
        assert err[0].startswith("warning: s/results/trials/part-00003.parquet is damaged and left out: ")

    def test_a_study_of_which_nothing_is_left(self, capsys, study, command):
        for number in range(TRIALS):
            truncate(part(study, number))
        said = refusal(capsys, command)
        assert "nothing of table trials can be read: s/results/trials/part-00000.parquet" in said
        assert f"and {TRIALS - 1} more" in said


def test_the_front_lacks_only_what_is_damaged(capsys, study):
    truncate(part(study, 1))
    out, _ = answer(capsys, "front", "--format", "json")
    assert [row["trial_id"] for row in json.loads("\n".join(out))] == [
        "trial-00000",
        "trial-00002",
        "trial-00003",
    ]


def test_status_names_damaged_parts_of_every_table(capsys, study):
    truncate(part(study, 1))
    part(study, 0, "epochs").write_bytes(b"")
    out, err = answer(capsys, "status")
    assert "2 damaged parts of the tables are left out, so rows are missing" in out
    assert len(err) == 2
    out, _ = answer(capsys, "status", "--format", "json")
    damaged = [(entry["path"], bool(entry["why"])) for entry in json.loads("\n".join(out))["damaged"]]
    assert damaged == [
        ("s/results/trials/part-00001.parquet", True),
        ("s/results/epochs/part-00000.parquet", True),
    ]


def test_a_damaged_table_that_is_not_needed_is_not_told(capsys, study):
    truncate(part(study, 0, "epochs"))
    assert answer(capsys, "front")[1] == []


@pytest.mark.parametrize("command", ["front", "select", "plot"])
@pytest.mark.parametrize("missing", FIGURES)
def test_an_objective_that_no_trial_has(capsys, here, command, missing):
    write_study(here / "s", [trial(number, **{missing: None}) for number in range(2)])
    assert f"s: {missing} is missing in all 2 complete trials" in refusal(capsys, command)


def test_status_of_a_study_without_an_objective(capsys, here):
    write_study(here / "s", [trial(0, matching_auc_validation=None)])
    out, err = answer(capsys, "status")
    assert out[0].startswith("s: 1 search trial: 1 complete")
    assert err == []


def test_a_limit_that_nothing_meets_names_the_nearest(capsys, study):
    assert run(["select", "s", "--max-attacker-auc", "0.51"]) == 2
    assert (
        "no checkpoint has attacker AUC <= 0.51: the nearest is trial trial-00000" in capsys.readouterr().err
    )


def test_each_footer_of_the_table_is_read_once(capsys, here, monkeypatch):
    write_study(here / "s", [trial(number) for number in range(20)])
    read, footers = pq.read_metadata, []
    counted = lambda path, **more: footers.append(path) or read(path, **more)  # noqa: E731
    monkeypatch.setattr("analysis.tables.parts.pq.read_metadata", counted)
    answer(capsys, "front")
    assert len(footers) == len(set(footers)) == 20
    assert all("/trials/" in path for path in footers)


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_the_front_says_which_rows_are_beyond_the_constraints(capsys, here, form):
    write_study(here / "s", settings=["constraints=['matching_auc_validation >= 0.68', 'alpha < 4']"])
    out, err = answer(capsys, "front", "--format", form)
    stated = "matching_auc_validation >= 0.68, alpha < 4.0"
    # Trials 0 and 1 have too low a matching AUC, trial 3 has alpha = 4.
    beyond = "trial-00000, trial-00001, trial-00003"
    assert err == [f"3 of 4 rows are not within the study's constraints ({stated}): {beyond}"]
    assert all(f"trial-0000{number}" in "\n".join(out) for number in range(4))


def test_a_front_within_the_constraints_needs_no_word(capsys, here):
    write_study(here / "s", settings=["constraints=['matching_auc_validation >= 0.55']"])
    assert answer(capsys, "front")[1] == []


def test_damaged_controls_do_not_hide_the_front(capsys, study):
    (study / "controls.json").write_text("{")
    out, _ = answer(capsys, "front")
    assert any(line.startswith("no controls: s/controls.json is damaged") for line in out)


def test_versions_of_the_schema_are_those_of_every_table():
    for schema in SCHEMAS.values():
        assert int(schema.metadata[SCHEMA_KEY]) == SCHEMA_VERSION


def damage_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20 : len(content) // 3] = bytes(len(content) // 3 - 20)
    path.write_bytes(bytes(content))


@pytest.fixture
def resumable(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a study of made-up trials that can be resumed without its faces."""
    monkeypatch.setattr("study.lifecycle.study_faces.prepare", lambda *given, **more: Path())
    monkeypatch.setattr("study.lifecycle.study_faces.check_splits", lambda *given: None)
    monkeypatch.setattr(
        "study.lifecycle.study_faces.open_prepared", lambda path: SimpleNamespace(fingerprint=None)
    )
    return write_study(here / "s", settings=[f"judge_version={JUDGE_VERSION}"])


def test_damage_inside_a_part_of_the_trials_is_named_too(capsys, resumable):
    damage_pages(part(resumable, 1))
    assert run(["resume", "s"]) == 2
    assert "s/results/trials/part-00001.parquet is damaged (" in capsys.readouterr().err


def test_a_part_that_nobody_may_read_is_not_called_damaged(resumable, monkeypatch):
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("study.storage.results_store.pq.read_metadata", refuse)
    with pytest.raises(PermissionError):
        read_schema_version(StudyStorage(resumable), part(resumable, 1))


@pytest.mark.parametrize("command", [["resume"], ["resume", "--trials", "99"], ["confirm"]])
@pytest.mark.parametrize("table", ["trials", "epochs"])
def test_a_study_with_a_damaged_part_is_not_gone_on_with(capsys, resumable, command, table):
    truncate(part(resumable, 1, table))
    before = (resumable / "study.toml").read_bytes()
    assert run([command[0], "s", *command[1:]]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"s/results/{table}/part-00001.parquet is damaged (" in said
    assert "move part-00001.parquet of all tables in results away" in said
    assert (resumable / "study.toml").read_bytes() == before
