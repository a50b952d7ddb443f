"""The C library's allocator, set for training."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of glibc


def keep_freed_memory() -> bool:
    """Has glibc keep freed blocks for the process, which a training process wants; False where there is no glibc.

    By default it maps every block above 32 MiB anew and returns it when freed. A step on the paper's decoder frees
    several of that size, so each step has the system hand out and clear the same pages again: a fifth of its time.
    The process then holds on to the most memory it ever used, between the trials of a worker too.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    return bool(library.mallopt(_M_MMAP_MAX, 0)) and bool(library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
