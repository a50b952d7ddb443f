"""From a study's Parquet tables to decisions: fronts, hypervolume, selection, pictures, tables."""

import logging

# On a fresh machine the drawing library's first import lists all fonts and says so in the log.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
