"""Puts a reproduction of the paper beside its published results: Table 1, Figures 2 and 3, and its claims.

Other rooms may use `run` (the measured figures), `tables`, `claims`, `figure2`, `figure3` and `page`.
"""
