"""A process keeps the memory that it has freed, and need not ask the system for it again."""

import resource
import subprocess
import sys

import pytest

PROBE = """
import resource, torch
from aia_models.training.allocator import keep_freed_memory

def faults():
    block = torch.ones(2**24)
    del block
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        block = torch.ones(2**24)
        del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
assert keep_freed_memory()
print(given_back, min(faults() for _ in range(5)))  # a busy system may take pages meanwhile
"""
# Memory pages of one block.
PAGES = 2**26 // resource.getpagesize()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has it")
def test_blocks_are_not_fetched_anew() -> None:
    """A process of its own counts the page faults of four blocks of 64 MiB, each freed before the next."""
    ran = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    given_back, kept = map(int, ran.stdout.split())
    assert kept < 1.5 * PAGES, "only the first"
    assert given_back > 3 * PAGES, "else the setting is of no use here"
