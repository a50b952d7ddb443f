"""Readers of the kinds of data sets (`KIND:PATH`), which list images and labels and decode no image yet.

Other rooms use the reader of each kind (`celeba`, `folder`, `vggface`, `drawn.synthetic`), the `source.FaceSource` that
it returns, and `label_encoding.encode_labels`.
"""
