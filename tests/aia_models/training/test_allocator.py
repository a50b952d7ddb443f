"""Memory that a process has freed stays its own."""

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
PAGES = 2**26 // resource.getpagesize()  # of one block


def faults(kept: bool) -> int:
    """Page faults of four blocks of 64 MiB, each freed before the next, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE.format(kept=kept)], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has it")
def test_blocks_are_not_fetched_anew() -> None:
    assert faults(kept=True) < 1.5 * PAGES, "only the first"
    assert faults(kept=False) > 3 * PAGES, "else the setting is of no use here"
