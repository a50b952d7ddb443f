"""A process keeps the memory that it has freed, and need not ask the system for it again."""

import resource
import subprocess
import sys

import pytest

PROBE = """
import resource, torch
from aia_models.training.allocator import keep_freed_memory
if {kept}:
    assert keep_freed_memory()
block = torch.ones(2**24)
del block
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    block = torch.ones(2**24)
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
# Memory pages of one block.
PAGES = 2**26 // resource.getpagesize()


def faults(kept: bool) -> int:
    """Return the page faults of a new process that allocates and frees a block of 64 MiB four times."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE.format(kept=kept)], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has it")
def test_blocks_are_not_fetched_anew() -> None:
    assert faults(kept=True) < 1.5 * PAGES, "only the first"
    assert faults(kept=False) > 3 * PAGES, "else the setting is of no use here"
