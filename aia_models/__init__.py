"""The Adversarial Image Anonymizer in PyTorch: data, networks, training, release and judging.

Users of a shipped encoder need only `load`. Other packages use the rooms `data`, `training`, `release`, `judging` and
`explain`, and the modules `config`, `errors` and `random_streams`.
"""

from aia_models.release.checkpoint import load

__all__ = ["load"]
