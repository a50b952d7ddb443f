import base64
import json
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
import vl_convert

from analysis.errors import AnalysisError
from analysis.fronts.selection import SelectionCriteria, select
from analysis.plots.catalogue import PICTURES, Picture
from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC
from analysis.report import images
from analysis.report.render import report_page, waiting_page
from analysis.summaries.front_table import front_rows
from analysis.tables.reader import open_tables, read_trials
from tests.analysis.report.report_study import ERROR, add_part, trial, write_study


class Page(HTMLParser):
    """A parsed page: its elements, its text outside scripts and styles, and its scripts by id."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str | None, str] = {}
        self.words = ""
        self._open: tuple[str, str | None] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open = (tag, dict(attrs).get("id"))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is None:
            self.words += data
        elif self._open[0] == "script":
            self.scripts[self._open[1]] = self.scripts.get(self._open[1], "") + data

    @property
    def data(self) -> dict:
        return json.loads(self.scripts["data"])


def page_of(directory: Path, **more) -> Page:
    return Page(report_page(open_tables(directory), "a study", {}, **more))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", 60)


@pytest.mark.parametrize("confirmed", [False, True])
def test_the_first_in_order_within_a_limit_is_what_select_returns(tmp_path: Path, confirmed: bool) -> None:
    directory = write_study(tmp_path / "study", 60, confirmed=confirmed)
    data, trials = page_of(directory).data, read_trials(open_tables(directory))
    at = {design["id"]: design["x"] for design in data["designs"]}
    limits = [500 + step for step in range(0, 500, 5)]
    found = [next((id for id in data["order"] if at[id] <= limit / 1000), None) for limit in limits]
    assert found == [_selected(trials, limit / 1000) for limit in limits]
    assert len(set(found)) > 2


def _selected(trials: pl.DataFrame, limit: float) -> str | None:
    try:
        return select(trials, SelectionCriteria(max_attacker_auc=limit)).trial["trial_id"]
    except AnalysisError:
        return None


def test_every_judged_trial_is_a_design_of_its_kind(study: Path) -> None:
    designs = page_of(study).data["designs"]
    trials = read_trials(open_tables(study))
    assert sorted(design["id"] for design in designs) == sorted(
        trials.filter(pl.col(ATTACKER_AUC).is_not_null())["trial_id"]
    )
    front = set(front_rows(open_tables(study))["trial_id"])
    assert {design["id"] for design in designs if design["kind"] == "Pareto-optimal"} == front
    assert {design["kind"] for design in designs if design["id"].startswith("baseline")} == {
        "Original", "Random", "AIA\\T", "Erasure"
    }  # fmt: skip


def test_a_design_shows_its_strongest_attacker_first_and_folded(study: Path) -> None:
    data = page_of(study).data
    for design in data["designs"]:
        number, validation, test = design["attacks"][0]
        assert data["attackers"][number] == "logistic regression"
        assert validation == pytest.approx(design["x"], abs=1e-4)
        assert test == pytest.approx(design["x"], abs=1e-4)
        assert len(design["attacks"]) == 3
        assert [data["matchers"][number] for number, *_ in design["matches"]][:2] == [
            "siamese", "siamese, same-gender pairs"
        ]  # fmt: skip


def test_a_design_shows_its_further_attackers_by_what_they_read_and_its_certificate(tmp_path: Path) -> None:
    attackers = [
        ("mlp", "attack", "single_release"), ("mlp", "attack", "person_scores"), ("mlp", "other", "single_release"),
        ("mlp", "both", "decoded_image"),
    ]  # fmt: skip
    directory = write_study(tmp_path / "study", 3)
    figures = {"linked_attacker_auc_validation": 0.8, "linked_attacker_auc_test": 0.9}
    certificate = {"certified_attacker_auc": 0.85, "certificate_method": "hoeffding"}
    counts = {"certificate_words": 16, "certificate_people": 120}
    add_part(directory, [trial(100, 0.6, 0.9, **figures, **certificate, **counts)], attackers)
    data = page_of(directory).data
    design = next(design for design in data["designs"] if design["id"] == "trial-00100")
    assert [data["attackers"][number] for number, *_ in design["attacks"]] == [
        "mlp",
        "mlp, scores of a person's images",
        "mlp, from another data set",
        "mlp, decoded images, from both splits' people",
    ]
    shown = {title: texts for title, *texts in design["figures"]}
    assert shown["linked attacker AUC"] == ["0.800", "0.900"]
    assert shown["certified attacker AUC"] == ["0.850 (hoeffding, 16 words, 120 people)", "-"]
    assert "gallery attacker AUC" not in shown


def test_confirmed_designs_show_means_over_their_seeds(tmp_path: Path) -> None:
    page = page_of(write_study(tmp_path / "study", 12, confirmed=True))
    confirmed = [design for design in page.data["designs"] if design["seeds"] == 2]
    assert len(confirmed) == 3
    for design in confirmed:
        assert design["attacks"][0][1] == pytest.approx(design["x"], abs=1e-4)
    assert "means over 2 fresh seeds" in page.words
    assert "optimistic" not in page.words


def test_the_page_says_what_its_figures_rest_on(study: Path) -> None:
    words = " ".join(page_of(study).words.split())
    assert "60 search trials: 30 complete, 10 stopped early, 10 failed, 10 diverged; 1 seed" in words
    assert "torch 2.14.1 on cpu" in words
    assert "Front and slider use the search trials" in words


def test_text_of_the_data_stays_text(study: Path) -> None:
    markup = "</script><!--<script>"
    add_part(study, [trial(100, 0.5, 0.9, trial_id=f"trial-{markup}", adversary=markup)])
    page = page_of(study)
    design = next(design for design in page.data["designs"] if markup in design["id"])
    assert ["adversary", markup] in design["parameters"]
    assert page.words.count(ERROR) == 10
    assert [tag for tag, _ in page.elements].count("script") == 4
    assert "b" not in {tag for tag, _ in page.elements}


def test_nothing_is_asked_of_a_network(study: Path) -> None:
    page = Page(report_page(open_tables(study), "a study", PICTURES))
    asked = [attributes.get(name) for _, attributes in page.elements for name in ("src", "href")]
    assert all(address.startswith("data:") for address in asked if address is not None)
    assert not {tag for tag, _ in page.elements} & {"iframe", "object", "embed"}


def test_the_command_fetches_what_was_kept(tmp_path: Path) -> None:
    directory = write_study(tmp_path / "a study", 12)
    (directory / "checkpoints" / "trial-00001" / "examples.png").unlink()
    (directory / "checkpoints" / "trial-00001").rmdir()
    designs = {design["id"]: design for design in page_of(directory).data["designs"]}
    assert designs["trial-00000"]["fetch"] == f"aia-study fetch '{directory}' trial-00000 -o trial-00000"
    assert designs["trial-00001"]["fetch"] is None
    # This trial is stopped early.
    assert designs["trial-00003"]["fetch"] is None


def test_a_page_carries_reconstructions_of_the_front_first(study: Path, monkeypatch) -> None:
    one = (study / "checkpoints" / "trial-00000" / "examples.png").read_bytes()
    front = front_rows(open_tables(study))["trial_id"].to_list()
    monkeypatch.setattr(images, "MAX_RECONSTRUCTION_BYTES", len(one) * (len(front) + 1))
    shown = {design["id"]: design["image"] for design in page_of(study).data["designs"] if design["image"]}
    assert set(front) < set(shown)
    assert len(shown) == len(front) + 1
    assert base64.b64decode(shown[front[0]].partition(",")[2]) == one


def test_a_thousand_trials_of_many_attackers_stay_below_five_megabytes(tmp_path: Path) -> None:
    directory = write_study(tmp_path / "study", 1000, many=True)
    page = report_page(open_tables(directory), "a study", PICTURES)
    assert len(page.encode()) < 5e6


def test_the_chart_compiles_to_vega(study: Path) -> None:
    page = page_of(study)
    spec = json.loads(page.scripts["spec"])
    fields = ("staircase", "x_bars", "y_bars", "designs")
    spec["datasets"] |= {name: page.data[name] for name in fields}
    compiled = vl_convert.vegalite_to_vega(spec)
    assert {"limit", "chosen"} <= {signal["name"] for signal in compiled["signals"]}
    assert set(fields) <= {source["name"] for source in compiled["data"]}


def test_varied_and_fixed_hyperparameters_are_listed_separately(study: Path) -> None:
    data = page_of(study).data
    assert ["erasure", "true"] in data["fixed"]
    assert all(dict(design["parameters"]).keys() <= {"alpha", "beta"} for design in data["designs"])


def test_the_slider_covers_every_design_and_starts_at_the_knee(study: Path) -> None:
    data, trials = page_of(study).data, read_trials(open_tables(study))
    limit = data["limit"]
    assert all(limit["low"] <= design["x"] <= limit["high"] for design in data["designs"])
    knee = select(trials, SelectionCriteria(knee=True)).trial
    assert 0 <= limit["start"] - knee[ATTACKER_AUC] < limit["step"]


def test_one_design_without_a_checkpoint_makes_a_page(tmp_path: Path) -> None:
    directory = tmp_path / "study"
    directory.mkdir()
    (directory / "study.toml").touch()
    add_part(directory, [trial(0, 0.6, 0.7, checkpoint=None)])
    page = page_of(directory)
    assert page.data["order"] == []
    assert "One design is Pareto-optimal" in page.words


def test_a_search_over_several_attributes_shows_its_own_front(tmp_path: Path) -> None:
    directory = tmp_path / "study"
    directory.mkdir()
    (directory / "study.toml").write_text('attribute = ["gender", "young"]\nobjectives = "per_attribute"\n')
    each = [f"attacker_auc_attribute_{number}_validation" for number in (1, 2)]
    attackers = [(0.6, 0.7), (0.7, 0.6), (0.8, 0.8)]
    rows = [
        trial(number, max(pair), 0.7, **dict(zip(each, pair, strict=True)))
        for number, pair in enumerate(attackers)
    ]
    add_part(directory, rows)
    page = page_of(directory)
    kinds = {design["id"]: design["kind"] for design in page.data["designs"]}
    assert kinds == {
        "trial-00000": "Pareto-optimal", "trial-00001": "Pareto-optimal", "trial-00002": "trial"
    }  # fmt: skip
    figures = {title: value for title, value, _ in page.data["designs"][-1]["figures"]}
    assert figures["attacker AUC, attribute 2"] == "0.600"


def test_pictures_without_data_say_why(study: Path) -> None:
    def nothing(_):
        raise AnalysisError("no <epochs> were recorded")

    pictures = {"frontier": PICTURES["frontier"], "losses": Picture("Losses", nothing)}
    page = Page(report_page(open_tables(study), "a study", pictures))
    assert "Losses: no <epochs> were recorded" in page.words
    drawn = [attributes for tag, attributes in page.elements if tag == "img"]
    assert [picture["alt"] for picture in drawn] == ["Trade-off frontier"]


def test_only_a_live_page_asks_for_a_newer_one(study: Path) -> None:
    assert "data-version" not in page_of(study).elements[0][1]
    live = page_of(study, version="abc")
    assert live.elements[0] == ("html", {"lang": "en", "data-version": "abc"})
    assert "location.reload" in live.scripts[None]
    waiting = Page(waiting_page("a study", "no <trial> yet", "abc"))
    assert "no <trial> yet" in waiting.words


def test_a_study_without_a_front_is_an_error(tmp_path: Path) -> None:
    directory = tmp_path / "study"
    directory.mkdir()
    (directory / "study.toml").touch()
    add_part(
        directory,
        [trial(0, 0.6, 0.7, status="failed", checkpoint=None, **{ATTACKER_AUC: None, MATCHING_AUC: None})],
    )
    with pytest.raises(AnalysisError, match="none of 1 trials is complete"):
        page_of(directory)
