"""What is trained and how it is judged: the Adversarial Image Anonymizer in PyTorch."""

from aia_models.release.checkpoint import load

__all__ = ["load"]
