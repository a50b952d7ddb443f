"""Metrics of attackers and matchers, and their uncertainty over people.

Other rooms use the functions of `metrics` (AUC, EER, accept rates) and `bootstrap` (resamples, intervals),
`pairs.evaluation_pairs` and `whitening`.
"""
