"""Trains the networks in two stages, one epoch record at a time.

Other rooms use `trainer` (`Trainer`, `EpochRecord`), `state` (to save and resume a training), `batches.image_batches`
and `allocator.keep_freed_memory`.
"""
