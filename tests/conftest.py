"""Before any of our packages is imported: one thread, and shapes in signatures checked as the tests run."""

import os

from jaxtyping import install_import_hook

os.environ.setdefault("OMP_NUM_THREADS", "1")
install_import_hook("aia_models", "beartype.beartype")
