"""Settings of the C library's memory allocator for training."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of glibc


def keep_freed_memory() -> bool:
    """Make glibc keep freed memory for reuse by this process; returns False where the C library is not glibc.

    By default glibc maps each block above 32 MiB anew and returns it to the system when it is freed. A training step on
    the paper's decoder frees several blocks of that size, and clearing their pages again takes a fifth of the step. The
    price: the process keeps its peak memory, also between the trials of a worker.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(library.mallopt(_M_MMAP_MAX, 0)) and bool(library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
