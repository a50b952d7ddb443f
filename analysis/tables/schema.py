"""The four tables of a study: their columns, what each means, and rows checked against them.

Every reader relies on these schemas: a change needs a migration and a new `SCHEMA_VERSION`.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.tables.objectives import MAX_ATTRIBUTES, attribute_column
from search_spaces.domains import When
from search_spaces.hyperparameters import HYPERPARAMETERS

SCHEMA_VERSION = 4
SCHEMA_KEY = b"aia_study_schema_version"  # of a table's metadata

_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
_PYTHON_TYPES = {arrow: python for python, arrow in _TYPES.items()}

# Column name → Python type, whether it may be null, the only strings it may hold (empty: any).
Rules = dict[str, tuple[type, bool, tuple[str, ...]]]


def _field(
    name: str, kind: type, about: str, *, required: bool = False, among: tuple[str, ...] = ()
) -> pa.Field:
    """A column; `required` forbids nulls, `among` lists the only strings it may hold."""
    metadata = {"about": about} | ({"among": ",".join(among)} if among else {})
    return pa.field(name, _TYPES[kind], nullable=not required, metadata=metadata)


def _schema(about: str, *fields: pa.Field) -> pa.Schema:
    return pa.schema(fields, metadata={SCHEMA_KEY: str(SCHEMA_VERSION), "about": about})


def _effect(when: When | None) -> str:
    return f" Null unless {when.parameter} is {' or '.join(map(str, when.values))}." if when else ""


def _judged(name: str, about: str) -> tuple[pa.Field, ...]:
    """A figure for each judged split."""
    return tuple(
        _field(f"{name}_{split}", float, f"{about} On {split} identities.")
        for split in ("validation", "test")
    )


def _judged_with_interval(name: str, about: str) -> tuple[pa.Field, ...]:
    """A figure for each judged split, each with its 95 % interval, bootstrapped over identities."""
    return tuple(
        _field(f"{name}_{split}{end}", float, f"{start}{about} On {split} identities.")
        for split in ("validation", "test")
        for end, start in (
            ("", ""),
            ("_low", "Lower end of the 95 % interval over identities: "),
            ("_high", "Upper end of the 95 % interval over identities: "),
        )
    )


def _with_ends(name: str, about: str) -> tuple[pa.Field, ...]:
    """A figure with its 95 % interval, bootstrapped over identities."""
    return (
        _field(name, float, about[0].upper() + about[1:]),
        _field(f"{name}_low", float, f"Lower end of the 95 % interval over identities: {about}"),
        _field(f"{name}_high", float, f"Upper end of the 95 % interval over identities: {about}"),
    )


_TRIAL_ID = _field("trial_id", str, "The trial: unique in a study, stable across resume.", required=True)
_SPLIT = _field("split", str, "Identities judged.", required=True, among=("validation", "test"))
_AUC_LOSS = "ROC AUC of the in-loop adversary on validation identities, folded: 0.5 to 1."

TRIALS_SCHEMA = _schema(
    "One row per trial, written when the trial is final and after its rows in the other tables.",
    _TRIAL_ID,
    _field("design_id", str, "Hash of the training config without seed: repeats share it.", required=True),
    _field("optuna_number", int, "Optuna's number of the trial; null outside search."),
    _field("phase", str, "Why it ran.", required=True, among=("search", "confirm", "baseline")),
    _field(
        "method",
        str,
        "What was trained.",
        required=True,
        among=("aia", "original", "random", "aia_without_t", "erasure"),
    ),
    _field("seed", int, "Seed of the training.", required=True),
    _field("split_seed", int, "Seed of the identity split.", required=True),
    _field(
        "status",
        str,
        "How it ended.",
        required=True,
        among=("complete", "stopped_early", "failed", "diverged"),
    ),
    *(
        _field(name, domain.value_type, domain.about + _effect(domain.when))
        for name, domain in HYPERPARAMETERS.items()
    ),
    *_judged_with_interval("attacker_auc", "Folded ROC AUC of the strongest fresh attacker, 0.5 to 1."),
    *(
        field
        for fields in zip(
            _judged("attacker_accuracy", "Largest accuracy of any fresh attacker, 0 to 1."),
            _judged("attacker_balanced_accuracy", "Largest balanced accuracy of any fresh attacker, 0 to 1."),
            _judged("majority_share", "Accuracy of always guessing the attribute's larger class, 0.5 to 1."),
            strict=True,
        )
        for field in fields
    ),
    *(
        field
        for number in range(1, MAX_ATTRIBUTES + 1)
        for field in _judged(
            f"attacker_auc_attribute_{number}",
            f"Folded ROC AUC of the strongest fresh attacker of private attribute {number}, 0.5 to 1.",
        )
    ),
    *_judged(
        "attacker_auc_10_releases",
        "Folded ROC AUC of the strongest attacker that reads means of ten releases, 0.5 to 1; null if not tried.",
    ),
    *_judged_with_interval("matching_auc", "ROC AUC of the best fresh matcher, any negatives, 0 to 1."),
    *_judged(
        "matching_auc_same_gender",
        "ROC AUC of the best matcher, same-gender negatives, 0 to 1; null without any.",
    ),
    _field("adversary_auc_validation", float, _AUC_LOSS),
    _field(
        "adversary_gap_validation",
        float,
        "ROC AUC of the strongest fresh attacker minus that of the in-loop adversary on what is released, both folded.",
    ),
    _field(
        "attackers_still_improving",
        bool,
        "The strongest attacker gained over one standard error from half of its people to all; null if not tried.",
    ),
    _field("weak_adversary", bool, "The in-loop adversary was near chance while fresh attackers were not."),
    *_judged(
        "in_loop_adversary_auc",
        "Folded ROC AUC of the in-loop adversary on what is released, 0.5 to 1; the largest over private attributes.",
    ),
    *_judged("in_loop_adversary_accuracy", "Its accuracy at probability 0.5, 0 to 1."),
    *_judged("in_loop_adversary_balanced_accuracy", "Its balanced accuracy at probability 0.5, 0 to 1."),
    *_judged("in_loop_matcher_auc", "ROC AUC of the in-loop matcher on releases, any negatives, 0 to 1."),
    *_judged("in_loop_matcher_accuracy", "Its accuracy at the distance that is best on validation, 0 to 1."),
    _field("epochs", int, "Epochs trained, all stages."),
    _field("train_images_seen", int, "Images trained on, all stages, repeats counted."),
    _field("wall_seconds", float, "Seconds from start to end of the trial."),
    _field("stage1_key", str, "Key of the stage-1 result that the trial started from."),
    _field("stage1_reused", bool, "Whether the stage-1 result was there already."),
    _field("stage1_wait_seconds", float, "Seconds spent waiting for another trial's stage 1."),
    _field("device", str, "What it ran on."),
    _field("torch_version", str, "Version of torch that it ran with."),
    _field("checkpoint", str, "Checkpoint's path, relative to the study directory; null where none is kept."),
    _field("error", str, "What went wrong, in one line; null where nothing did."),
)

EPOCHS_SCHEMA = _schema(
    "One row per trial and epoch.",
    _TRIAL_ID,
    _field("epoch", int, "Epoch, counted from 1 through all stages.", required=True),
    _field("stage", str, "What was trained.", required=True, among=("autoencoder", "heads", "joint")),
    _field("reconstruction_loss", float, "Mean binary cross-entropy of the reconstruction (Eq. 5), nats."),
    _field("adversary_loss", float, "Mean loss of the in-loop adversary (Eq. 6), nats."),
    _field("matcher_loss", float, "Mean loss that α weighs: Eq. 7, or the contrastive identity loss."),
    _field("total_loss", float, "Mean of the anonymizer's objective (Eq. 8)."),
    _field("adversary_auc_validation", float, _AUC_LOSS),
    _field("matcher_auc_validation", float, "ROC AUC of the in-loop matcher on validation pairs, 0 to 1."),
    _field(
        "attacker_auc_validation",
        float,
        "Folded ROC AUC of the strongest fresh attacker; null if not judged.",
    ),
    *(
        _field(
            attribute_column(number, "validation"),
            float,
            f"Folded ROC AUC of the strongest fresh attacker of private attribute {number}; null if not judged.",
        )
        for number in range(1, MAX_ATTRIBUTES + 1)
    ),
    _field("matching_auc_validation", float, "ROC AUC of the best fresh matcher; null if not judged."),
    _field("train_images_seen", int, "Images trained on up to the end of the epoch, repeats counted."),
    _field("seconds", float, "Seconds that the epoch took where it was trained; without judging."),
    _field("judging_seconds", float, "Seconds that judging after the epoch took; null if not judged."),
)

ATTACKS_SCHEMA = _schema(
    "One row per trial, split, attribute, attacker, vantage, training size and number of releases.",
    _TRIAL_ID,
    _SPLIT,
    _field("attribute", str, "Private attribute attacked.", required=True),
    _field("attacker", str, "Kind of fresh attacker.", required=True),
    _field("suite", str, "Suite of attackers it belongs to.", required=True),
    _field("vantage", str, "Identities it was fitted on.", required=True, among=("attack", "train")),
    _field("releases", int, "Releases of each image it reads: one, or the mean of ten.", required=True),
    _field("train_images", int, "Images it was fitted on: the largest number counts.", required=True),
    _field("setting", str, "Setting that it was fitted with.", required=True),
    _field("folded_auc", float, "Folded ROC AUC, max(AUC, 1 - AUC): 0.5 to 1."),
    _field("folded_auc_low", float, "Lower end of the folded ROC AUC's 95 % interval over identities."),
    _field("folded_auc_high", float, "Upper end of the folded ROC AUC's 95 % interval over identities."),
    *_with_ends("accuracy", "accuracy, 0 to 1."),
    *_with_ends("balanced_accuracy", "balanced accuracy, 0 to 1."),
    _field("majority_share", float, "Accuracy of always guessing the larger class, 0.5 to 1."),
    _field("fit_seconds", float, "Seconds that fitting took."),
)

MATCHES_SCHEMA = _schema(
    "One row per trial, split, matcher and kind of negatives.",
    _TRIAL_ID,
    _SPLIT,
    _field("matcher", str, "Kind of fresh matcher.", required=True),
    _field("negatives", str, "Which different pairs.", required=True, among=("any", "same_gender")),
    _field("auc", float, "ROC AUC of same against different pairs, 0 to 1."),
    _field("auc_low", float, "Lower end of the ROC AUC's 95 % interval over identities."),
    _field("auc_high", float, "Upper end of the ROC AUC's 95 % interval over identities."),
    *_with_ends("accuracy", "accuracy at the threshold that is best on validation, 0 to 1."),
    *_with_ends("eer", "equal error rate, 0 to 1."),
    *_with_ends("tar_far_1e_2", "true accepts at 1 % false accepts, 0 to 1; null where pairs are too few."),
    *_with_ends("tar_far_1e_3", "true accepts at 0.1 % false accepts, 0 to 1; null where pairs are too few."),
    _field("pairs", int, "Pairs judged, same and different."),
)

EXAMPLES = "examples.png"  # in a checkpoint's folder: faces, and below them their reconstructions

# No table of the store: each trial has a file of its own, written before its rows.
RESAMPLES_SCHEMA = _schema(
    "One row per trial, split, figure and resample of the split's people; the same resamples for every trial.",
    _TRIAL_ID,
    _SPLIT,
    _field(
        "figure",
        str,
        "Which figure; in the `trials` table its name ends in the split.",
        required=True,
        among=(
            "attacker_auc",
            "matching_auc",
            "in_loop_adversary_auc",
            "in_loop_adversary_accuracy",
            "in_loop_adversary_balanced_accuracy",
            "in_loop_matcher_auc",
            "in_loop_matcher_accuracy",
        ),
    ),
    _field("resample", int, "Number of the resample, counted from 0.", required=True),
    _field("value", float, "The figure in that resample; null where it lacks one of the classes."),
)

# No table of the store either: computed of the whole search, and again when it has grown.
IMPORTANCE_FRONT = "front"
MIN_IMPORTANCE_TRIALS = 10  # complete ones; of fewer nothing can be said
IMPORTANCE_SCHEMA = _schema(
    "One row per target and hyperparameter of a search: how much it matters, over the whole space.",
    _field(
        "target",
        str,
        f"For what it matters: an objective by its column of `trials`, or being on the Pareto `{IMPORTANCE_FRONT}`.",
        required=True,
    ),
    _field("hyperparameter", str, "Its column of `trials`.", required=True),
    _field(
        "importance",
        float,
        "fanova: share of the variance of the objective that it explains by itself, 0 to 1; ped_anova: its share, of 1,"
        " in how far values on the front differ from values anywhere.",
        required=True,
    ),
    _field("evaluator", str, "Optuna's evaluator.", required=True, among=("fanova", "ped_anova")),
    _field(
        "trials",
        int,
        "Complete search trials that it is computed of: of fanova those that have it.",
        required=True,
    ),
)

# In the order in which a segment's parts are written: a trial exists once its trials row does.
SCHEMAS: Mapping[str, pa.Schema] = {
    "epochs": EPOCHS_SCHEMA,
    "attacks": ATTACKS_SCHEMA,
    "matches": MATCHES_SCHEMA,
    "trials": TRIALS_SCHEMA,
}


def checked(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> list[dict[str, Any]]:
    """The rows with every column of `schema`, absent ones None, numpy scalars as Python's.

    ValueError for an unknown key, a missing required one, a wrong type, a string outside `among`, NaN or inf.
    """
    rules = _rules(schema)
    return [_checked_row(row, rules) for row in rows]


def to_table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """The rows as a table of exactly `schema`; ValueError as in `checked`."""
    return pa.Table.from_pylist(checked(rows, schema), schema=schema)


def _checked_row(row: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    unknown = row.keys() - rules.keys()
    if unknown:
        raise ValueError(f"a row may not hold {', '.join(sorted(unknown))}: the table has no such column")
    return {name: _checked(name, row.get(name), *rule) for name, rule in rules.items()}


@lru_cache
def _rules(schema: pa.Schema) -> Rules:
    rules: Rules = {}
    for field in schema:
        among = field.metadata.get(b"among", b"").decode()
        rules[field.name] = (
            _PYTHON_TYPES[field.type],
            field.nullable,
            tuple(among.split(",")) if among else (),
        )
    return rules


def _checked(name: str, value: Any, kind: type, nullable: bool, among: tuple[str, ...]) -> Any:
    if value is None:
        if not nullable:
            raise ValueError(f"{name} is missing: each row needs it")
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if kind is float and type(value) is int:
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} = {value!r} is no {kind.__name__}")
    if kind is float and not isfinite(value):
        raise ValueError(f"{name} = {value!r}: a row holds finite numbers or null")
    if among and value not in among:
        raise ValueError(f"{name} = {value!r} is none of {', '.join(among)}")
    return kind(value)
