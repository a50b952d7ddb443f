"""What a fresh matcher is: an embedding whose Euclidean distances rank pairs of images."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from aia_models.judging.released import Representations

Embedding = Float[np.ndarray, "n dim"]
Embed = Callable[[Representations], Embedding]
