"""Readers of the kinds of data sets (`KIND:PATH`), which list images and labels and decode no image yet.

Other rooms use `readers.read_source`, the `source.FaceSource` that it returns, `label_encoding.encode_labels` and
`image_files`.
"""
