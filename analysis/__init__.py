"""From a study's Parquet tables to decisions: fronts, hypervolume, selection, pictures, tables."""

import logging

from analysis.open_study import open_study

__all__ = ["open_study"]

# On a fresh machine the drawing library's first import lists all fonts and says so in the log.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
