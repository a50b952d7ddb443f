"""Computes parallel coordinates: the position of each design on an axis per hyperparameter and per objective."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.tables.objectives import Objective
from search_spaces.domains import Choice, Integer, LogUniform
from search_spaces.hyperparameters import HYPERPARAMETERS

INACTIVE_POSITION = -0.2  # position of a hyperparameter that is not in effect, left of the axis


@dataclass(frozen=True)
class Axis:
    """One column of `trials` as an axis from 0 to 1.

    `positions` is float64 `[row]`, INACTIVE_POSITION where the hyperparameter is not in effect. `ticks` are labels with
    their positions.
    """

    column: str
    positions: np.ndarray
    ticks: tuple[tuple[str, float], ...]


def axes(rows: pl.DataFrame, objectives: Sequence[Objective]) -> list[Axis]:
    """Return an axis for each hyperparameter that varies among the rows of `trials`, then one for each objective.

    An axis reaches from the smallest to the largest value among the rows. Its scale is logarithmic if the
    hyperparameter is searched on a logarithmic scale and no value is 0. Options of a choice are evenly spaced in the
    order of the search.
    """
    varied = [name for name in HYPERPARAMETERS if rows[name].drop_nulls().n_unique() > 1]
    return [*(_axis(rows[name]) for name in varied), *(_axis(rows[one.column]) for one in objectives)]


def _axis(values: pl.Series) -> Axis:
    domain = HYPERPARAMETERS.get(values.name)
    known = values.drop_nulls()
    if isinstance(domain, Choice):
        options: list[Any] = [option for option in domain.options if option in known]
        options += sorted(set(known) - set(options))  # a study may fix a value outside the searched options
        places = {option: place / max(len(options) - 1, 1) for place, option in enumerate(options)}
        positions = [INACTIVE_POSITION if value is None else places[value] for value in values]
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
        positions = np.where(np.isnan(share), INACTIVE_POSITION, share)
        ticks = [(f"{low:.3g}", 0.0), (f"{high:.3g}", 1.0)] if high > low else [(f"{low:.3g}", 0.5)]
    if known.len() < values.len():
        ticks.append(("off", INACTIVE_POSITION))
    return Axis(values.name, np.asarray(positions, dtype=float), tuple(ticks))
