"""Runs one trial in this process, from its plan to its rows, without Ray.

Other rooms may use `plan` (what a trial is), `run` (its reports), `rows` (the rows of its outcome) and
`training_config`.
"""
