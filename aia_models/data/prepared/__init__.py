"""Prepares a data set once: decodes, crops and resizes its images into one memory-mapped folder.

Other rooms use `prepare` (`prepare`, `open_prepared`, `remarks_on`) and from `blocks` the types `Block`, `BlockReport`
and `Execute`, `in_threads`, `decode_and_prepare` and `prepare_images`. The embedding keeps its blocks in `block_files`
too.
"""
