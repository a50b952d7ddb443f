"""Attacks that are recorded beside the figure of privacy and do not count: attackers who know or have something else.

Other rooms use `further_attacks` (`further_attacks`, `learning_curve`).
"""
