"""Holds what several benchmarks share: argument types, drawn faces, the peer's twin, and steps on CUDA."""
