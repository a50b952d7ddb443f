"""Says how sure fronts and figures are: bootstraps over people and seeds, and attainment surfaces over seeds.

Other rooms may use `comparison.compare` (two studies), `design_bootstrap.bootstrap_designs` (one study),
`attainment.confirmed_runs`, `optimism.optimism`, `resample_files.read_resamples`, and the arithmetic of `resampled`.
"""
