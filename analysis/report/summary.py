"""Writes the sentences at the top of a report: what the front achieves, and what its figures rest on."""

import polars as pl

from analysis.plots.elements.frontier_points import ATTACKER_AUC, MATCHING_AUC
from analysis.summaries.evidence import evidence


def summary(front: pl.DataFrame) -> str:
    """Return one sentence that states the number of designs on the front and the ranges of their AUCs."""
    if front.height == 1:
        return (
            f"One design is Pareto-optimal: the strongest fresh attacker infers the private attribute with an AUC of"
            f" {front[ATTACKER_AUC][0]:.3f}, and faces match with an AUC of {front[MATCHING_AUC][0]:.3f}."
        )
    return (
        f"{front.height} designs are Pareto-optimal: the strongest fresh attacker infers the private attribute with an"
        f" AUC of {_range(front[ATTACKER_AUC])}, and faces match with an AUC of {_range(front[MATCHING_AUC])}."
    )


def source(front: pl.DataFrame, directory: str) -> str:
    """Return one sentence that says whether front and slider use search trials or confirmed designs."""
    if front["source"][0] == "search":
        return (
            "Front and slider use the search trials: the front of a search is optimistic, and aia-study confirm"
            f" {directory} trains its designs again with fresh seeds."
        )
    counts = sorted(set(front["seeds"]))
    seeds = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    return f"Front and slider use the confirmed designs: means over {seeds} fresh seed{'' if seeds == '1' else 's'}."


def basis(trials: pl.DataFrame) -> str:
    """Return one sentence that states what all figures rest on: trials, seeds, split, torch versions and devices."""
    versions = _listed(trials["torch_version"], "torch ")
    devices = _listed(trials["device"], "on ")
    return "; ".join(filter(None, [evidence(trials), " ".join(filter(None, [versions, devices]))])) + "."


def _range(figures: pl.Series) -> str:
    low, high = figures.min(), figures.max()
    return f"{low:.3f} to {high:.3f}".replace(" ", "\N{NO-BREAK SPACE}")


def _listed(values: pl.Series, before: str) -> str:
    known = sorted(values.drop_nulls().unique())
    return f"{before}{', '.join(known)}" if known else ""
