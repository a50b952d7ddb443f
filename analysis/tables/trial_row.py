"""The columns of `trials`: which trial a row is about, its hyperparameters, and what was measured."""

from dataclasses import dataclass
from typing import Annotated, Literal

Phase = Literal["search", "confirm", "baseline"]
Method = Literal["aia", "original", "random", "aia_without_t", "erasure", "fisher"]
Status = Literal["complete", "stopped_early", "failed", "diverged"]


@dataclass(frozen=True, kw_only=True)
class TrialIdentity:
    """The first columns of `trials`; the hyperparameters' columns, `HYPERPARAMETERS` by name, follow them."""

    trial_id: Annotated[str, "Name of the trial: unique in a study, the same after a resume."]
    design_id: Annotated[str, "Hash of the training config without its seed: repeats of one design share it."]
    optuna_number: Annotated[
        int | None, "Optuna's number of the trial; null where Optuna did not propose it."
    ] = None
    phase: Annotated[Phase, "Why the trial ran."]
    method: Annotated[Method, "What was trained."]
    seed: Annotated[int, "Seed of the training."]
    split_seed: Annotated[int, "Seed of the split of identities."]
    status: Annotated[Status, "How the trial ended."]


@dataclass(frozen=True, kw_only=True)
class TrialFigures:
    """The columns of `trials` after the hyperparameters: figures on both judged splits, costs, checkpoint and error.

    A null figure was not measured. Intervals are bootstrapped over identities.
    """

    attacker_auc_validation: Annotated[
        float | None, "Folded ROC AUC of the strongest fresh attacker, 0.5 to 1. On validation identities."
    ] = None
    attacker_auc_validation_low: Annotated[
        float | None, "Lower end of the 95 % interval of attacker_auc_validation."
    ] = None
    attacker_auc_validation_high: Annotated[
        float | None, "Upper end of the 95 % interval of attacker_auc_validation."
    ] = None
    attacker_auc_test: Annotated[
        float | None, "Folded ROC AUC of the strongest fresh attacker, 0.5 to 1. On test identities."
    ] = None
    attacker_auc_test_low: Annotated[float | None, "Lower end of the 95 % interval of attacker_auc_test."] = (
        None
    )
    attacker_auc_test_high: Annotated[
        float | None, "Upper end of the 95 % interval of attacker_auc_test."
    ] = None
    attacker_accuracy_validation: Annotated[
        float | None, "Largest accuracy of any fresh attacker, 0 to 1. On validation identities."
    ] = None
    attacker_balanced_accuracy_validation: Annotated[
        float | None, "Largest balanced accuracy of any fresh attacker, 0 to 1. On validation identities."
    ] = None
    majority_share_validation: Annotated[
        float | None,
        "Accuracy of always guessing the attribute's larger class, 0.5 to 1. On validation identities.",
    ] = None
    attacker_accuracy_test: Annotated[
        float | None, "Largest accuracy of any fresh attacker, 0 to 1. On test identities."
    ] = None
    attacker_balanced_accuracy_test: Annotated[
        float | None, "Largest balanced accuracy of any fresh attacker, 0 to 1. On test identities."
    ] = None
    majority_share_test: Annotated[
        float | None,
        "Accuracy of always guessing the attribute's larger class, 0.5 to 1. On test identities.",
    ] = None
    attacker_auc_attribute_1_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker of private attribute 1. On validation identities.",
    ] = None
    attacker_auc_attribute_1_test: Annotated[
        float | None, "Folded ROC AUC of the strongest attacker of private attribute 1. On test identities."
    ] = None
    attacker_auc_attribute_2_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker of private attribute 2. On validation identities.",
    ] = None
    attacker_auc_attribute_2_test: Annotated[
        float | None, "Folded ROC AUC of the strongest attacker of private attribute 2. On test identities."
    ] = None
    attacker_auc_attribute_3_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker of private attribute 3. On validation identities.",
    ] = None
    attacker_auc_attribute_3_test: Annotated[
        float | None, "Folded ROC AUC of the strongest attacker of private attribute 3. On test identities."
    ] = None
    attacker_auc_attribute_4_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker of private attribute 4. On validation identities.",
    ] = None
    attacker_auc_attribute_4_test: Annotated[
        float | None, "Folded ROC AUC of the strongest attacker of private attribute 4. On test identities."
    ] = None
    attacker_auc_10_releases_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker on means of ten releases; null if not tried. On "
        "validation identities.",
    ] = None
    attacker_auc_10_releases_test: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker on means of ten releases; null if not tried. On "
        "test identities.",
    ] = None
    linked_attacker_auc_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker that knows which images show one person; null if not tried."
        " On validation identities.",
    ] = None
    linked_attacker_auc_test: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker that knows which images show one person; null if not tried."
        " On test identities.",
    ] = None
    gallery_attacker_auc_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker with labelled images of the very people; null if not tried."
        " On validation identities.",
    ] = None
    gallery_attacker_auc_test: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker with labelled images of the very people; null if not tried."
        " On test identities.",
    ] = None
    decoded_attacker_auc_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker on images that it decoded; null if not tried."
        " On validation identities.",
    ] = None
    decoded_attacker_auc_test: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker on images that it decoded; null if not tried."
        " On test identities.",
    ] = None
    other_attacker_auc_validation: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker that learnt from another data set's people; null if not tried."
        " On validation identities.",
    ] = None
    other_attacker_auc_test: Annotated[
        float | None,
        "Folded ROC AUC of the strongest attacker that learnt from another data set's people; null if not tried."
        " On test identities.",
    ] = None
    certified_attacker_auc: Annotated[
        float | None, "Bound that no attacker's folded ROC AUC exceeds, 0.5 to 1; null without a certificate."
    ] = None
    certificate_method: Annotated[
        Literal["hoeffding", "clopper_pearson"] | None, "Inequality behind certified_attacker_auc."
    ] = None
    certificate_words: Annotated[
        int | None, "Words of the alphabet that certified_attacker_auc is about."
    ] = None
    certificate_people: Annotated[int | None, "People that certified_attacker_auc was computed from."] = None
    matching_auc_validation: Annotated[
        float | None, "ROC AUC of the best fresh matcher, any negatives, 0 to 1. On validation identities."
    ] = None
    matching_auc_validation_low: Annotated[
        float | None, "Lower end of the 95 % interval of matching_auc_validation."
    ] = None
    matching_auc_validation_high: Annotated[
        float | None, "Upper end of the 95 % interval of matching_auc_validation."
    ] = None
    matching_auc_test: Annotated[
        float | None, "ROC AUC of the best fresh matcher, any negatives, 0 to 1. On test identities."
    ] = None
    matching_auc_test_low: Annotated[float | None, "Lower end of the 95 % interval of matching_auc_test."] = (
        None
    )
    matching_auc_test_high: Annotated[
        float | None, "Upper end of the 95 % interval of matching_auc_test."
    ] = None
    matching_auc_same_gender_validation: Annotated[
        float | None,
        "ROC AUC of the best matcher, same-gender negatives; null without such pairs. On validation "
        "identities.",
    ] = None
    matching_auc_same_gender_test: Annotated[
        float | None,
        "ROC AUC of the best matcher, same-gender negatives; null without such pairs. On test identities.",
    ] = None
    adversary_auc_validation: Annotated[
        float | None,
        "Folded ROC AUC of the in-loop adversary on validation identities in training, 0.5 to 1.",
    ] = None
    adversary_gap_validation: Annotated[
        float | None,
        "ROC AUC of the strongest fresh attacker minus that of the in-loop adversary, both folded, on"
        " releases.",
    ] = None
    attackers_still_improving: Annotated[
        bool | None,
        "Whether the attack by templates gained over one standard error from half of its people to all; null if not "
        "tried.",
    ] = None
    weak_adversary: Annotated[
        bool | None, "Whether the in-loop adversary was near chance while fresh attackers were not."
    ] = None
    in_loop_adversary_auc_validation: Annotated[
        float | None,
        "Folded ROC AUC of the in-loop adversary on releases, the largest over attributes. On "
        "validation identities.",
    ] = None
    in_loop_adversary_auc_test: Annotated[
        float | None,
        "Folded ROC AUC of the in-loop adversary on releases, the largest over attributes. On test "
        "identities.",
    ] = None
    in_loop_adversary_accuracy_validation: Annotated[
        float | None,
        "Accuracy of the in-loop adversary at probability 0.5, 0 to 1. On validation identities.",
    ] = None
    in_loop_adversary_accuracy_test: Annotated[
        float | None, "Accuracy of the in-loop adversary at probability 0.5, 0 to 1. On test identities."
    ] = None
    in_loop_adversary_balanced_accuracy_validation: Annotated[
        float | None,
        "Balanced accuracy of the in-loop adversary at probability 0.5. On validation identities.",
    ] = None
    in_loop_adversary_balanced_accuracy_test: Annotated[
        float | None, "Balanced accuracy of the in-loop adversary at probability 0.5. On test identities."
    ] = None
    in_loop_matcher_auc_validation: Annotated[
        float | None,
        "ROC AUC of the in-loop matcher on releases, any negatives, 0 to 1. On validation identities.",
    ] = None
    in_loop_matcher_auc_test: Annotated[
        float | None, "ROC AUC of the in-loop matcher on releases, any negatives, 0 to 1. On test identities."
    ] = None
    in_loop_matcher_accuracy_validation: Annotated[
        float | None,
        "Accuracy of the in-loop matcher at the threshold best on validation. On validation identities.",
    ] = None
    in_loop_matcher_accuracy_test: Annotated[
        float | None,
        "Accuracy of the in-loop matcher at the threshold best on validation. On test identities.",
    ] = None
    epochs: Annotated[int | None, "Epochs trained, in all stages."] = None
    train_images_seen: Annotated[int | None, "Images trained on in all stages, repeats counted."] = None
    wall_seconds: Annotated[float | None, "Seconds from start to end of the trial."] = None
    stage1_key: Annotated[str | None, "Key of the stage-1 result that the trial started from."] = None
    stage1_reused: Annotated[
        bool | None, "Whether the stage-1 result existed before the trial needed it."
    ] = None
    stage1_wait_seconds: Annotated[float | None, "Seconds spent waiting for another trial's stage 1."] = None
    device: Annotated[str | None, "Device that the trial ran on."] = None
    torch_version: Annotated[str | None, "Version of torch that the trial ran with."] = None
    checkpoint: Annotated[
        str | None, "Path of the checkpoint, relative to the study directory; null where none was written."
    ] = None
    error: Annotated[str | None, "What went wrong, in one line; null where nothing did."] = None
