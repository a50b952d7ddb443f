"""Runs a study's trials on Ray; this is the only room that imports Ray.

Other rooms may use `run_study.run_study`, `preparation.preparing`, and `job.detach` with `job.require_address`.
"""
