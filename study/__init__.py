"""Runs hyperparameter studies of the Adversarial Image Anonymizer, and serves the command line `aia-study`.

Each folder is one room: `cli` parses commands, `tune` runs trials on Ray, `search` proposes designs with Optuna,
`trial` runs one trial, `storage` writes results, `spec` reads specs, `lifecycle` makes and extends studies, `replay`
simulates searches on recorded trials, and `paper` reproduces the paper's figures. Every room may use `errors`,
`console` and `image_progress`.
"""
