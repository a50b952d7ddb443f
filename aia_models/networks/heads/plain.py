"""The head that adds nothing to a linear stem."""

from jaxtyping import Float
from torch import Tensor, nn

from aia_models.config import PlainHead


class Plain(nn.Module):
    """The stem's values as they are."""

    map_shape: tuple[int, int, int]

    def __init__(self, config: PlainHead, features: tuple[int]) -> None:
        super().__init__()
        self.map_shape = (*features, 1, 1)

    def forward(self, features: Float[Tensor, "batch k"]) -> Float[Tensor, "batch k"]:
        """Return g."""
        return features.float()
