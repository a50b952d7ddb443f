"""Turns the Parquet tables of a study into decisions: Pareto fronts, hypervolumes, selected checkpoints and pictures.

Use `analysis.open_study(directory)` to ask a study questions from Python, and `analysis.errors.AnalysisError` for what
it raises. Other packages may import the rooms `tables`, `fronts`, `uncertainty`, `summaries`, `plots`, `report` and
`paper`, and the module `atomic_write`; each room's docstring lists what it offers.
"""

import logging

from analysis.open_study import open_study

__all__ = ["open_study"]

# On a new machine matplotlib's first import lists all fonts and logs that it does so.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
