"""The attackers that stand beside the one that counts: their figures in `trials` and their titles."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BesideFigure:
    """The AUC of the strongest attacker of one `kind`, as the judge names it; `stem` begins its columns of `trials`."""

    kind: str
    stem: str
    title: str

    def column(self, split: str) -> str:
        """Return the column of `trials` that holds the figure on the people of `split`."""
        return f"{self.stem}_{split}"


LINKED = BesideFigure("linked", "linked_attacker_auc", "linked attacker AUC")
BESIDE_FIGURES = (
    LINKED,
    BesideFigure("gallery", "gallery_attacker_auc", "gallery attacker AUC"),
    BesideFigure("decoded", "decoded_attacker_auc", "attacker AUC, decoded images"),
    BesideFigure("other", "other_attacker_auc", "attacker AUC, other data set"),
    BesideFigure("10_releases", "attacker_auc_10_releases", "attacker AUC, mean of 10 releases"),
)
CERTIFIED_AUC = "certified_attacker_auc"
