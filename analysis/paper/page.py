"""Writes the page of a reproduction: Table 1, Figures 2 and 3, and where measured figures agree with the paper's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import polars as pl

from analysis.paper.claims import BALANCED, FIGURE_2, FRESH, TABLE_1, CheckedClaim, Verdict
from analysis.paper.run import FIGURE_3_DESIGN, PaperRun
from analysis.paper.tables import METHODS, SEEDS
from analysis.uncertainty.resampled import Estimate

AS_PAPER = (
    ("gender accuracy ↓", "in_loop_adversary_accuracy"),
    ("utility accuracy ↑", "in_loop_matcher_accuracy"),
)
IN_LOOP = (
    ("gender balanced accuracy ↓", "in_loop_adversary_balanced_accuracy"),
    ("gender AUC ↓", "in_loop_adversary_auc"),
    ("utility AUC ↑", "in_loop_matcher_auc"),
)
AFTERWARDS = (
    ("attacker AUC ↓", "attacker_auc"),
    ("attacker accuracy ↓", "attacker_accuracy"),
    ("attacker balanced accuracy ↓", "attacker_balanced_accuracy"),
    ("matching AUC ↑", "matching_auc"),
    ("matching accuracy ↑", "matching_accuracy"),
)
COLUMNS = {
    "in the loop, as the paper measured": (TABLE_1, FIGURE_2),
    "in the loop, balanced accuracy": (BALANCED,),
    "fresh networks, AUC": (FRESH,),
}


@dataclass(frozen=True)
class FacesSection:
    """The text under Figure 3: its caption, and the image classifier's ROC AUC on `images` test images.

    `before` is the AUC on original images, `after` that on their reconstructions.
    """

    before: Estimate
    after: Estimate
    images: int
    caption: str


def paper_page(
    run: PaperRun,
    table: pl.DataFrame,
    checked: Sequence[CheckedClaim],
    faces: FacesSection | None,
    facts: Mapping[str, str],
) -> str:
    """Return the page as Markdown.

    `table` is a frame of `analysis.paper.tables.table_1`, `checked` the checked claims, `faces` the text under Figure
    3 or None if it could not be drawn, and `facts` says by name how the reproduction was run.
    """
    seeds = len(run.seeds)
    sections = [
        "# The paper's figures on these faces",
        f"{run.trials.height} of {run.planned_count} trainings complete, {seeds} seed{'s' if seeds != 1 else ''}; test"
        " identities throughout. Lower gender inference is more private (↓), higher matching more useful (↑).",
        _intervals(seeds),
        *_verdicts(checked),
        *_table_1(table),
        "## Figure 2",
        "![Over β at α = 0.5](figure2a.png)",
        "![Over α at β = 0.5](figure2b.png)",
        *_faces(faces),
        "## How it was run",
        "\n".join(f"- {name}: {text}" for name, text in facts.items()),
    ]
    return "\n\n".join(sections) + "\n"


def _intervals(seeds: int) -> str:
    if seeds == 1:
        return (
            "Intervals are 95 % bootstraps over the judged people. There is one seed, so they do not show how trainings"
            " differ: verdicts hold for this one training of each design."
        )
    return (
        f"Figures are means over seeds. Intervals are 95 % bootstraps that resample seeds and judged people with"
        f" replacement, in the same way for all designs, so that differences are paired; with {seeds} seeds they"
        " understate how trainings differ. In columns that say so, brackets are the range of the seeds instead."
    )


def _verdicts(checked: Sequence[CheckedClaim]) -> list[str]:
    by_column = {
        column: {one.claim.statement: one for one in checked if one.reading in readings}
        for column, readings in COLUMNS.items()
    }
    rows = [
        [
            claim.statement,
            claim.where,
            *(_verdict(claims.get(claim.statement)) for claims in by_column.values()),
        ]
        for claim in dict.fromkeys(one.claim for one in checked)
    ]
    return [
        "## Where our figures agree with the paper's",
        "\n".join(f"- {column}: {_counts(claims.values())}." for column, claims in by_column.items()),
        _markdown(["the paper says", "where", *COLUMNS], rows),
        "The number is the difference (or slope, or covariance) that the claim is about; above 0 it agrees"
        " with the paper. Agree and disagree mean that its 95 % interval is on one side of 0, without correction for"
        " the number of claims. The paper measured the accuracy (Table 1) or AUC (Figure 2) of the adversary and the"
        " matcher that took part in training, which the encoder learned to fool. Balanced accuracy"
        " is 0.5 for a classifier that guesses, however unequal the classes are. Fresh networks: AUC of the"
        " strongest attacker and the best matcher fitted afterwards on representations of people that the"
        " anonymizer never saw.",
    ]


def _counts(claims: Iterable[CheckedClaim]) -> str:
    verdicts = [claim.verdict for claim in claims]
    return ", ".join(f"{verdicts.count(kind)} {kind}" for kind in get_args(Verdict) if kind in verdicts)


def _verdict(checked: CheckedClaim | None) -> str:
    if checked is None:
        return ""
    if checked.verdict == "not measured":
        return checked.verdict
    excess, unit = checked.excess, checked.claim.unit
    digits = "+.5f" if unit == "covariance" else "+.3f"
    interval = f"{excess.value:{digits}} [{excess.low:{digits}}, {excess.high:{digits}}]"
    return f"**{checked.verdict}**: {interval}" + (f" {unit}" if unit.startswith("per") else "")


def _table_1(table: pl.DataFrame) -> list[str]:
    figures = {(row["method"], row["figure"]): row for row in table.iter_rows(named=True)}
    header = ["method", *(title for title, _ in AS_PAPER for title in (title, "CelebA, paper", "VGG, paper"))]
    ours = [
        [name, *(cell for _, f in AS_PAPER for cell in _beside_paper(figures[name, f]))] for name in METHODS
    ]
    shares = [row["value"] for row in figures.values() if row["figure"] == "majority_share"]
    share = next((value for value in shares if value is not None), None)
    guess = f" Always guessing the larger class is right for {share:.1%}." if share is not None else ""
    return [
        "## Table 1",
        "As the paper defines it: accuracy of the gender classifier and of the Siamese network of the training loop.",
        _markdown(header, ours),
        "The classifier decides at probability 0.5, the Siamese network at the distance that is best on validation."
        f"{guess} Original and Random have no adversarial training: their networks are those of stage 1, trained on"
        " clean representations and for fewer epochs than the networks of AIA, which keep learning with the encoder."
        " Those of Random are applied to the randomised representations without further training."
        " AIA is α = β = 0.5, AIA\\T α = 0.",
        "The same two networks by measures that do not depend on how unequal the classes are:",
        _other_figures(figures, IN_LOOP),
        "And networks fitted afterwards, on the same representations:",
        _other_figures(figures, AFTERWARDS),
    ]


def _other_figures(
    figures: Mapping[tuple[str, str], Mapping[str, Any]], columns: Sequence[tuple[str, str]]
) -> str:
    header = [f"{title}{_range_note(figures, figure)}" for title, figure in columns]
    rows = [[name, *(_cell(figures[name, figure]) for _, figure in columns)] for name in METHODS]
    return _markdown(["method", *header], rows)


def _faces(faces: FacesSection | None) -> list[str]:
    if faces is None:
        return [
            "## Figure 3",
            f"Not drawn: no training at α = {FIGURE_3_DESIGN.alpha}, β = {FIGURE_3_DESIGN.beta} is complete.",
        ]
    return [
        "## Figure 3",
        "![Faces, reconstructions and Grad-CAM](figure3.png)",
        f"{faces.caption} On all {faces.images} test images the classifier's AUC is {_interval(faces.before)} before"
        f" and {_interval(faces.after)} after (95 % over people). It is not trained again on reconstructions, so its"
        " loss in AUC says less about privacy than the fresh attackers of Table 1.",
        "The figure shows faces of your data: it is in this folder only.",
    ]


def _beside_paper(row: Mapping[str, Any]) -> list[str]:
    return [_cell(row), *(f"{value:.4f}" if (value := row[f"paper_{d}"]) else "-" for d in ("celeba", "vgg"))]


def _range_note(figures: Mapping[tuple[str, str], Mapping[str, Any]], figure: str) -> str:
    return (
        ", range" if any(row["interval"] == SEEDS for (_, f), row in figures.items() if f == figure) else ""
    )


def _cell(row: Mapping[str, Any]) -> str:
    value, low, high = row["value"], row["low"], row["high"]
    return "-" if value is None or low is None or high is None else _interval(Estimate(value, low, high))


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
