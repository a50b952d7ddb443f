"""Computes Pareto fronts of `trials` frames, their hypervolume, and the checkpoint that meets given limits.

Other rooms may use `candidates` (which rows compete), `pareto` (the non-dominated ones), `hypervolume`, `selection`
(the checkpoint to ship) and `staircase` (a front as a line to draw).
"""
