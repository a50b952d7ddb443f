"""Designs on parallel axes: where each value lies on its hyperparameter's axis, and each figure on its objective's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.tables.objectives import Objective
from search_spaces.domains import Choice, Integer, LogUniform
from search_spaces.hyperparameters import HYPERPARAMETERS

OFF = -0.2  # where a hyperparameter stands that is not in effect


@dataclass(frozen=True)
class Axis:
    """One column of `trials` as an axis: `positions` by row, 0 to 1, or OFF; `ticks` are labels and their positions."""

    column: str
    positions: np.ndarray
    ticks: tuple[tuple[str, float], ...]


def axes(rows: pl.DataFrame, objectives: Sequence[Objective]) -> list[Axis]:
    """Return an axis for each hyperparameter of which the rows have several values, then one for each objective.

    An axis reaches from the least to the largest value among the rows, on a logarithmic scale where the hyperparameter
    has one in the registry and no value is 0.
    """
    varied = [name for name in HYPERPARAMETERS if rows[name].drop_nulls().n_unique() > 1]
    return [*(_axis(rows[name]) for name in varied), *(_axis(rows[one.column]) for one in objectives)]


def _axis(values: pl.Series) -> Axis:
    domain = HYPERPARAMETERS.get(values.name)
    known = values.drop_nulls()
    if isinstance(domain, Choice):
        options: list[Any] = [option for option in domain.options if option in known]
        options += sorted(set(known) - set(options))  # fixed by hand, beyond what is searched
        places = {option: place / max(len(options) - 1, 1) for place, option in enumerate(options)}
        positions = [OFF if value is None else places[value] for value in values]
        ticks = [(str(option).lower(), place) for option, place in places.items()]
    else:
        numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
        logarithmic = isinstance(domain, LogUniform) or (isinstance(domain, Integer) and domain.log)
        low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
        if logarithmic and low > 0:
            scaled, start, end = np.log(numbers), np.log(low), np.log(high)
        else:
            scaled, start, end = numbers, low, high
        share = (scaled - start) / (end - start) if end > start else np.where(np.isnan(scaled), np.nan, 0.5)
        positions = np.where(np.isnan(share), OFF, share)
        ticks = [(f"{low:.3g}", 0.0), (f"{high:.3g}", 1.0)] if high > low else [(f"{low:.3g}", 0.5)]
    if known.len() < values.len():
        ticks.append(("off", OFF))
    return Axis(values.name, np.asarray(positions, dtype=float), tuple(ticks))
