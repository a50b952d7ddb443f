"""The reproduction of the paper: `aia-study paper` runs its designs as a study and writes its tables and figures.

The command line uses `reproduce.reproduce`.
"""
