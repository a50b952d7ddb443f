"""Attacks and matches for tests, with default values for all fields that a test does not set."""

from aia_models.judging.attack import Attack
from aia_models.judging.matches import Match


def some_attack(
    split: str,
    attacker: str,
    folded_auc: float,
    attribute: str = "gender",
    vantage: str = "attack",
    reads: str = "single_release",
) -> Attack:
    ends = {
        f"{figure}{end}": 0.5 for figure in ("accuracy", "balanced_accuracy") for end in ("", "_low", "_high")
    }
    return Attack(
        split=split, attribute=attribute, attacker=attacker, reads=reads, vantage=vantage,
        releases=10 if reads == "mean_of_ten" else 1, train_images=9, setting="1", majority_share=0.5, fit_seconds=0.1,
        folded_auc=folded_auc, folded_auc_low=0.5, folded_auc_high=0.9, **ends,
    )  # fmt: skip


def some_match(split: str, matcher: str, auc: float, negatives: str = "any") -> Match:
    ends = {f"{figure}{end}": 0.5 for figure in ("accuracy", "eer") for end in ("", "_low", "_high")}
    rates = {f"tar_far_{rate}{end}": None for rate in ("1e_2", "1e_3") for end in ("", "_low", "_high")}
    return Match(
        split=split,
        matcher=matcher,
        negatives=negatives,
        auc=auc,
        auc_low=0.4,
        auc_high=0.9,
        pairs=9,
        **ends,
        **rates,
    )
