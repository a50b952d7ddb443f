"""The rows of the tables beside `trials`: each dataclass declares a table's columns, their types and their meaning."""

from dataclasses import dataclass
from typing import Annotated, Literal

JudgedSplit = Literal["validation", "test"]
TrialId = Annotated[str, "Name of the trial, as in `trials`."]
Split = Annotated[JudgedSplit, "Split whose identities were judged."]

_LOW, _HIGH = (f"{end} end of the 95 % interval over identities of the" for end in ("Lower", "Upper"))


@dataclass(frozen=True, kw_only=True)
class EpochRow:
    """One epoch of one trial."""

    trial_id: TrialId
    epoch: Annotated[int, "Number of the epoch, counted from 1 through all stages."]
    stage: Annotated[Literal["autoencoder", "heads", "joint"], "Networks that were trained."]
    reconstruction_loss: Annotated[
        float | None, "Mean binary cross-entropy of the reconstruction (Eq. 5), nats."
    ]
    adversary_loss: Annotated[float | None, "Mean loss of the in-loop adversary (Eq. 6), nats."]
    matcher_loss: Annotated[float | None, "Mean loss that α weighs: Eq. 7, or the contrastive identity loss."]
    total_loss: Annotated[float | None, "Mean of the anonymizer's objective (Eq. 8)."]
    adversary_auc_validation: Annotated[
        float | None, "Folded ROC AUC of the in-loop adversary on validation identities, 0.5 to 1."
    ]
    matcher_auc_validation: Annotated[
        float | None, "ROC AUC of the in-loop matcher on validation pairs, 0 to 1."
    ]
    attacker_auc_validation: Annotated[
        float | None, "Folded ROC AUC of the strongest fresh attacker; null if not judged."
    ] = None
    attacker_auc_attribute_1_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest fresh attacker of private attribute 1; null if not judged.",
    ] = None
    attacker_auc_attribute_2_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest fresh attacker of private attribute 2; null if not judged.",
    ] = None
    attacker_auc_attribute_3_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest fresh attacker of private attribute 3; null if not judged.",
    ] = None
    attacker_auc_attribute_4_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest fresh attacker of private attribute 4; null if not judged.",
    ] = None
    matching_auc_validation: Annotated[
        float | None, "ROC AUC of the best fresh matcher, 0 to 1; null if not judged."
    ] = None
    train_images_seen: Annotated[int | None, "Images trained on up to the end of the epoch, repeats counted."]
    seconds: Annotated[float | None, "Seconds that the epoch took where it was trained, without judging."]
    judging_seconds: Annotated[
        float | None, "Seconds that judging after the epoch took; null if not judged."
    ] = None


@dataclass(frozen=True, kw_only=True)
class AttackRow:
    """One fresh attacker of one private attribute on one split."""

    trial_id: TrialId
    split: Split
    attribute: Annotated[str, "Private attribute that was attacked."]
    attacker: Annotated[str, "Kind of fresh attacker."]
    reads: Annotated[
        Literal[
            "single_release",
            "mean_of_ten",
            "person_scores",
            "person_representations",
            "gallery",
            "decoded_image",
        ],
        "What it reads: single releases, means of ten releases of each image, its scores averaged over a person's"
        " images, the representations of a person's images put together, releases beside labelled images of the very"
        " people, or images that its own decoder restored.",
    ]
    vantage: Annotated[
        Literal["attack", "train", "both", "other"],
        "People it was fitted on: those of a split, of both splits, or of the other data set.",
    ]
    releases: Annotated[int, "Releases of each image that it reads: one, or the mean of ten."]
    train_images: Annotated[int, "Images that it was fitted on: the attacker with the most counts."]
    setting: Annotated[str, "Setting that it was fitted with."]
    folded_auc: Annotated[float | None, "Folded ROC AUC, max(AUC, 1 - AUC): 0.5 to 1."]
    folded_auc_low: Annotated[float | None, f"{_LOW} folded ROC AUC."]
    folded_auc_high: Annotated[float | None, f"{_HIGH} folded ROC AUC."]
    accuracy: Annotated[float | None, "Accuracy, 0 to 1."]
    accuracy_low: Annotated[float | None, f"{_LOW} accuracy."]
    accuracy_high: Annotated[float | None, f"{_HIGH} accuracy."]
    balanced_accuracy: Annotated[float | None, "Balanced accuracy, 0 to 1."]
    balanced_accuracy_low: Annotated[float | None, f"{_LOW} balanced accuracy."]
    balanced_accuracy_high: Annotated[float | None, f"{_HIGH} balanced accuracy."]
    majority_share: Annotated[float | None, "Accuracy of always guessing the larger class, 0.5 to 1."]
    fit_seconds: Annotated[float | None, "Seconds that fitting took."]


@dataclass(frozen=True, kw_only=True)
class MatchRow:
    """One fresh matcher on one split's pairs, with one kind of negatives."""

    trial_id: TrialId
    split: Split
    matcher: Annotated[str, "Kind of fresh matcher."]
    negatives: Annotated[Literal["any", "same_gender"], "Which pairs of different people are negatives."]
    auc: Annotated[float | None, "ROC AUC of pairs of the same person against the negatives, 0 to 1."]
    auc_low: Annotated[float | None, f"{_LOW} ROC AUC."]
    auc_high: Annotated[float | None, f"{_HIGH} ROC AUC."]
    accuracy: Annotated[float | None, "Accuracy at the threshold that is best on validation, 0 to 1."]
    accuracy_low: Annotated[float | None, f"{_LOW} accuracy."]
    accuracy_high: Annotated[float | None, f"{_HIGH} accuracy."]
    eer: Annotated[float | None, "Equal error rate, 0 to 1."]
    eer_low: Annotated[float | None, f"{_LOW} equal error rate."]
    eer_high: Annotated[float | None, f"{_HIGH} equal error rate."]
    tar_far_1e_2: Annotated[
        float | None, "True accept rate at 1 % false accepts, 0 to 1; null where pairs are too few."
    ]
    tar_far_1e_2_low: Annotated[float | None, f"{_LOW} true accept rate at 1 % false accepts."]
    tar_far_1e_2_high: Annotated[float | None, f"{_HIGH} true accept rate at 1 % false accepts."]
    tar_far_1e_3: Annotated[
        float | None, "True accept rate at 0.1 % false accepts, 0 to 1; null where pairs are too few."
    ]
    tar_far_1e_3_low: Annotated[float | None, f"{_LOW} true accept rate at 0.1 % false accepts."]
    tar_far_1e_3_high: Annotated[float | None, f"{_HIGH} true accept rate at 0.1 % false accepts."]
    pairs: Annotated[int | None, "Pairs judged, of the same person and of different people."]


@dataclass(frozen=True, kw_only=True)
class ResampleRow:
    """One figure of one trial in one resample of the judged people. Each trial has a file of its own."""

    trial_id: TrialId
    split: Split
    figure: Annotated[
        Literal[
            "attacker_auc",
            "matching_auc",
            "in_loop_adversary_auc",
            "in_loop_adversary_accuracy",
            "in_loop_adversary_balanced_accuracy",
            "in_loop_matcher_auc",
            "in_loop_matcher_accuracy",
        ],
        "Which figure: in `trials` its column is this name and the split.",
    ]
    resample: Annotated[int, "Number of the resample, counted from 0."]
    value: Annotated[float | None, "The figure in that resample; null where the resample lacks a class."]


@dataclass(frozen=True, kw_only=True)
class ImportanceRow:
    """How much one hyperparameter of a search matters for one target, over the whole search space."""

    target: Annotated[str, "Objective, by its column of `trials`, or `front`: being on the Pareto front."]
    hyperparameter: Annotated[str, "Column of `trials` that holds the hyperparameter."]
    importance: Annotated[
        float,
        "fanova: share of the objective's variance that it explains by itself, 0 to 1; ped_anova: its share, of 1,"
        " in how far values on the front differ from values anywhere.",
    ]
    evaluator: Annotated[Literal["fanova", "ped_anova"], "Optuna's evaluator."]
    trials: Annotated[
        int,
        "Complete search trials that it was computed from; for fanova only those that have the hyperparameter.",
    ]
