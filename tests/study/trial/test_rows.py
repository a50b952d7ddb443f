"""Rows of a trial: its flags, its progress lines and its keys."""

import io
from dataclasses import asdict, replace

import numpy as np
import pytest
from rich.console import Console

from aia_models.config import AdversaryConfig, ChannelConfig, TrainingConfig
from aia_models.judging.attack import Attack
from aia_models.judging.in_loop import InLoopFigure, InLoopFigures
from aia_models.judging.judge import BESIDE, Judgement
from aia_models.measures.certificate import Certificate
from aia_models.training.trainer import EpochRecord
from analysis.tables.beside import BESIDE_FIGURES
from analysis.tables.objectives import ATTACKER, MATCHING
from analysis.tables.schema import SCHEMAS, to_table
from analysis.tables.trial_row import TrialFigures
from study.trial.plan import TrialPlan
from study.trial.rows import attack_rows, judged_figures, weak_adversary
from study.trial.run import stage1_key
from study.tune.progress import Progress
from tests.judged import some_attack, some_match


@pytest.mark.parametrize(
    ("in_loop", "fresh", "weak"),
    [(0.55, 0.90, True), (0.59, 0.70, True), (0.60, 0.90, False), (0.55, 0.64, False), (0.80, 0.95, False)],
)
def test_an_adversary_is_weak_near_chance_where_fresh_attackers_are_not(in_loop, fresh, weak):
    assert weak_adversary(in_loop, fresh) == weak


def test_progress_tells_every_end_and_counts_earlier_trials_in_the_front():
    def row(trial_id: str, phase: str = "search", status: str = "complete", **figures: float | None) -> dict:
        return {"trial_id": trial_id, "phase": phase, "status": status, **figures}

    console = Console(file=io.StringIO(), width=200)
    earlier = [row("a", **{ATTACKER.column: 0.6, MATCHING.column: 0.7}), row("b", status="failed")]
    progress = Progress(console, 5, earlier)
    progress.finished(row("c", **{ATTACKER.column: 0.55, MATCHING.column: 0.65}))
    progress.finished(row("d", **{ATTACKER.column: 0.5, MATCHING.column: None}))
    progress.finished(row("e", status="diverged", error="total_loss is nan"))
    progress.finished(row("f", "baseline", **{ATTACKER.column: 0.5, MATCHING.column: 0.9}))
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("c: attacker 0.550, matching 0.650; 1 of 5 trials finished")
    assert lines[1].startswith("d: complete, but not judged")
    assert lines[2].startswith("e: diverged (total_loss is nan)")
    assert "4 of 5 trials finished, 2 not judged" in lines[3]
    progress.finished(row("g", status="stopped_early", epochs=6))
    stopped = console.file.getvalue().splitlines()[-1]
    assert stopped.startswith(
        "g: stopped after 6 epochs; 5 of 5 trials finished, 1 of them early, 2 not judged"
    )
    assert "front so far (2 designs), attacker/matching AUC: 0.550/0.650  0.600/0.700" in str(
        progress._block()
    )


def test_the_key_of_stage_1_holds_what_it_depends_on_and_nothing_of_stage_2():
    config = TrainingConfig()
    key = stage1_key(config, "faces", "cpu")
    noise = ChannelConfig("noise", noise_sd=0.1)
    later = replace(config, alpha=3.0, betas=(0.0,), channel=noise, adversary=AdversaryConfig(steps=3))
    assert stage1_key(later, "faces", "cpu") == key
    others = [replace(config, seed=1), replace(config, batch_images=32), replace(config, learning_rate=0.1)]
    others += [replace(config, adversary=AdversaryConfig(("mlp",)))]
    assert (
        len(
            {
                key,
                stage1_key(config, "other", "cpu"),
                *(stage1_key(other, "faces", "cpu") for other in others),
            }
        )
        == 6
    )
    assert stage1_key(config, "faces", "cuda") != key


def judgement(*further: Attack, improving: bool | None = None) -> Judgement:
    """Return a judgement of two attributes, of which `young` has the strongest attacker."""
    attacks = tuple(
        some_attack(split, "mlp", auc + shift, attribute, vantage=vantage)
        for split, shift in (("validation", 0.0), ("test", 0.01))
        for attribute, vantage, auc in (
            ("gender", "attack", 0.62),
            ("gender", "train", 0.66),
            ("young", "attack", 0.75),
        )
    )
    matches = tuple(
        some_match(split, "siamese", 0.7, negatives)
        for split in ("validation", "test")
        for negatives in ("any", "same_gender")
    )
    return Judgement(attacks, matches, {}, {}, further, {"gender": False, "young": improving})


LAST = EpochRecord(9, "joint", 0.1, 0.1, 0.1, 0.1, 0.55, 0.6, 100, 1.0)


def in_loop(auc: float) -> dict[str, InLoopFigures]:
    """Return in-loop figures that equal `auc` on validation and are 0.01 lower on test."""
    figures = {"validation": auc, "test": auc - 0.01}
    return {
        split: InLoopFigures(*[InLoopFigure(value, np.full(2, value))] * 5)
        for split, value in figures.items()
    }


def test_figures_are_those_of_the_worst_attribute_and_vantage_and_of_each_attribute():
    figures = judged_figures(judgement(), LAST, in_loop(0.7))
    assert figures["attacker_auc_validation"] == 0.75
    assert figures["attacker_auc_test"] == pytest.approx(0.76)
    assert figures["attacker_auc_attribute_1_validation"] == 0.66
    assert figures["attacker_auc_attribute_2_validation"] == 0.75
    assert "attacker_auc_attribute_3_validation" not in figures
    assert figures["adversary_gap_validation"] == pytest.approx(0.05), (
        "on what is released, not on what LAST saw"
    )
    assert figures["in_loop_adversary_auc_validation"] == 0.7
    assert figures["weak_adversary"] is True
    assert figures["attackers_still_improving"] is None
    assert figures["attacker_auc_10_releases_test"] is None


def test_further_attackers_and_learning_curves_stand_beside():
    further = (
        some_attack("validation", "mlp", 0.81, reads="person_scores"),
        some_attack("validation", "mlp", 0.82, reads="person_representations"),
        some_attack("test", "mlp", 0.83, reads="gallery"),
        some_attack("test", "cnn", 0.84, reads="decoded_image"),
        some_attack("test", "mlp", 0.85, vantage="other"),
        some_attack("validation", "mlp", 0.9, reads="mean_of_ten"),
        some_attack("validation", "svm", 0.95, reads="mean_of_ten"),
        some_attack("validation", "mlp", 0.99),
    )
    figures = judged_figures(judgement(*further, improving=True), LAST, in_loop(0.7))
    beside = {figure.column(split): None for figure in BESIDE_FIGURES for split in ("validation", "test")}
    assert {name: figures[name] for name in beside} == beside | {
        "linked_attacker_auc_validation": 0.82,
        "gallery_attacker_auc_test": 0.83,
        "decoded_attacker_auc_test": 0.84,
        "other_attacker_auc_test": 0.85,
        "attacker_auc_10_releases_validation": 0.95,
    }
    assert figures["attacker_auc_validation"] == 0.75
    assert figures["attackers_still_improving"] is True


def test_every_kind_of_the_judge_has_a_figure():
    assert {figure.kind for figure in BESIDE_FIGURES} == set(BESIDE)


def test_a_certificate_fills_its_columns_and_without_one_they_are_null():
    found = replace(judgement(), certificate=Certificate(0.8, "clopper_pearson", 16, 120))
    names = ("certified_attacker_auc", "certificate_method", "certificate_words", "certificate_people")
    for judged, expected in ((found, (0.8, "clopper_pearson", 16, 120)), (judgement(), (None,) * 4)):
        figures = asdict(TrialFigures(**judged_figures(judged, LAST, in_loop(0.7))))
        assert tuple(figures[name] for name in names) == expected


def test_without_same_gender_pairs_there_is_no_such_figure():
    found = judgement()
    found = replace(found, matches=tuple(match for match in found.matches if match.negatives == "any"))
    figures = judged_figures(found, LAST, in_loop(0.7))
    assert figures["matching_auc_same_gender_test"] is None
    assert figures["matching_auc_test"] == 0.7


def test_without_an_in_loop_adversary_there_is_no_gap():
    figures = judged_figures(judgement(), replace(LAST, adversary_auc_validation=None), in_loop(0.7))
    assert figures["adversary_gap_validation"] is None
    assert figures["weak_adversary"] is False


def test_attack_rows_fit_their_table_with_learning_curve_and_repeated_releases():
    plan = TrialPlan("t", 0, "search", "aia", {}, 0)
    rows = attack_rows(plan, judgement(some_attack("test", "mlp", 0.9, reads="mean_of_ten")))
    table = to_table(rows, SCHEMAS["attacks"]).to_pylist()
    assert len(table) == 7
    assert {(row["attribute"], row["vantage"], row["releases"]) for row in table} == {
        ("gender", "attack", 1),
        ("gender", "train", 1),
        ("young", "attack", 1),
        ("gender", "attack", 10),
    }
