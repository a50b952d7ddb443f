"""The final rows of a trial in the four tables, made from its plan and from what the judge measured."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, get_args

from aia_models.judging.in_loop import InLoopFigures
from aia_models.judging.judge import Judgement
from aia_models.measures.certificate import Certificate
from aia_models.training.trainer import EpochRecord
from analysis.tables.beside import BESIDE_FIGURES
from analysis.tables.objectives import attribute_column
from analysis.tables.rows import AttackRow, EpochRow, JudgedSplit, MatchRow
from analysis.tables.trial_row import Status, TrialFigures, TrialIdentity
from study.spec.spec import StudySpec
from study.storage.outcome import Outcome
from study.trial.plan import TrialPlan
from study.trial.training_config import training_config

Row = dict[str, Any]
SPLITS: tuple[JudgedSplit, ...] = get_args(JudgedSplit)

WEAK_IN_LOOP_AUC = 0.60
WEAK_GAP = 0.10


def trial_row(plan: TrialPlan, spec: StudySpec, status: Status, **figures: Any) -> Row:
    """Return the `trials` row of `plan`; columns that are not in `figures` are null.

    Raises TypeError where a name in `figures` is no column.
    """
    identity = TrialIdentity(
        trial_id=plan.trial_id,
        design_id=training_config(plan, spec).design_id,
        optuna_number=plan.optuna_number,
        phase=plan.phase,
        method=plan.method,
        seed=plan.seed,
        split_seed=spec.split_seed,
        status=status,
    )
    return {**asdict(identity), **plan.values, **asdict(TrialFigures(**figures))}


def failed(plan: TrialPlan, spec: StudySpec, error: str) -> Outcome:
    """Return the outcome of a trial whose worker died or that could not run: failures are recorded like results."""
    return Outcome(trial_row(plan, spec, "failed", error=one_line(error)))


def judged_figures(judgement: Judgement, last: EpochRecord, in_loop: Mapping[str, InLoopFigures]) -> Row:
    """Return the columns of `trials` that come from judging, and the verdict on the in-loop adversary.

    `last` is the record of the last epoch, `in_loop` the in-loop networks' figures by split. The gap is between the
    strongest fresh attacker and the in-loop adversary on the same released representations.
    """
    figures: Row = {}
    for split in SPLITS:
        attack, match = judgement.strongest_attack(split), judgement.best_match(split)
        attacks = [a for a in judgement.attacks if a.split == split]
        same_gender = judgement.best_same_gender_match(split)
        figures |= {
            f"attacker_auc_{split}": attack.folded_auc,
            f"attacker_auc_{split}_low": attack.folded_auc_low,
            f"attacker_auc_{split}_high": attack.folded_auc_high,
            f"attacker_accuracy_{split}": max(a.accuracy for a in attacks),
            f"attacker_balanced_accuracy_{split}": max(a.balanced_accuracy for a in attacks),
            f"majority_share_{split}": attack.majority_share,
            f"matching_auc_{split}": match.auc,
            f"matching_auc_{split}_low": match.auc_low,
            f"matching_auc_{split}_high": match.auc_high,
            f"matching_auc_same_gender_{split}": same_gender and same_gender.auc,
        }
        figures |= _attribute_figures(judgement, split)
        for figure in BESIDE_FIGURES:
            beside = judgement.strongest_beside(split, figure.kind)
            figures[figure.column(split)] = beside and beside.folded_auc
    in_training, fresh = last.adversary_auc_validation, figures["attacker_auc_validation"]
    improving = (judgement.still_improving or {}).get(judgement.strongest_attack("validation").attribute)
    return {
        **figures,
        **_certificate_figures(judgement.certificate),
        **in_loop_figures(in_loop),
        "adversary_auc_validation": in_training,
        "adversary_gap_validation": None
        if in_training is None
        else fresh - in_loop["validation"].adversary_auc.value,
        "weak_adversary": in_training is not None and weak_adversary(in_training, fresh),
        "attackers_still_improving": improving,
    }


def in_loop_figures(in_loop: Mapping[str, InLoopFigures]) -> Row:
    """Return the columns of `trials` that hold the in-loop networks' figures on released representations."""
    return {
        f"in_loop_{figure.name}_{split}": getattr(figures, figure.name).value
        for split, figures in in_loop.items()
        for figure in fields(figures)
    }


def weak_adversary(in_loop_auc: float, fresh_auc: float) -> bool:
    """Return whether the in-loop adversary is near chance while fresh attackers are not.

    Such an adversary said nothing about privacy. Both figures are folded ROC AUCs on validation: the adversary's is
    below 0.60, and the strongest fresh attacker's more than 0.10 above it.
    """
    return in_loop_auc < WEAK_IN_LOOP_AUC and fresh_auc - in_loop_auc > WEAK_GAP


def epoch_figures(judgement: Judgement, judging_seconds: float) -> Row:
    """Return the columns of `epochs` that come from judging after the epoch: all that a search may optimise."""
    figures: Row = {
        "attacker_auc_validation": judgement.strongest_attack("validation").folded_auc,
        "matching_auc_validation": judgement.best_match("validation").auc,
        "judging_seconds": judging_seconds,
    }
    return figures | _attribute_figures(judgement, "validation")


def epoch_rows(plan: TrialPlan, records: Sequence[EpochRecord], judged: Mapping[int, Row]) -> list[Row]:
    """Return one `epochs` row per record. `judged` holds the figures of judged epochs, by epoch (`epoch_figures`)."""
    rows = (
        EpochRow(trial_id=plan.trial_id, **asdict(record), **judged.get(record.epoch, {}))
        for record in records
    )
    return [asdict(row) for row in rows]


def _attribute_figures(judgement: Judgement, split: str) -> Row:
    """Return the strongest attacker's folded AUC for each private attribute, in the order of the attributes."""
    attributes = dict.fromkeys(a.attribute for a in judgement.attacks if a.split == split)
    return {
        attribute_column(number, split): judgement.strongest_attack(split, attribute).folded_auc
        for number, attribute in enumerate(attributes, start=1)
    }


def _certificate_figures(certificate: Certificate | None) -> Row:
    if certificate is None:
        return {}
    return {
        "certified_attacker_auc": certificate.bound,
        "certificate_method": certificate.method,
        "certificate_words": certificate.words,
        "certificate_people": certificate.people,
    }


def attack_rows(plan: TrialPlan, judgement: Judgement) -> list[Row]:
    """Return the `attacks` rows of one trial, those that do not count included."""
    attacks = (*judgement.attacks, *judgement.further_attacks)
    return [asdict(AttackRow(trial_id=plan.trial_id, **asdict(attack))) for attack in attacks]


def match_rows(plan: TrialPlan, judgement: Judgement) -> list[Row]:
    """Return the `matches` rows of one trial."""
    return [asdict(MatchRow(trial_id=plan.trial_id, **asdict(match))) for match in judgement.matches]


def one_line(error: str) -> str:
    """Return the first line of an error's text that is not empty."""
    return next((line.strip() for line in error.splitlines() if line.strip()), "no message")


def exception_line(error: BaseException) -> str:
    """Return an exception as one line: its type and the first line of its message."""
    return one_line(f"{type(error).__name__}: {error}")
