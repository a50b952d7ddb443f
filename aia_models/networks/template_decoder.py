"""The decoder of templates: representations to templates."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from aia_models.config import DecoderConfig


class TemplateDecoder(nn.Module):
    """Representations to templates: one hidden layer with SiLU, then a linear layer."""

    def __init__(self, config: DecoderConfig, representation: int, template: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(representation, config.hidden)
        self.last = nn.Linear(config.hidden, template)

    def forward(self, released: Float[Tensor, "batch k"]) -> Float[Tensor, "batch d"]:
        """Return the reconstructed templates."""
        return self.last(F.silu(self.hidden(released)))
