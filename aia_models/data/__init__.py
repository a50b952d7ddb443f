"""Labelled face images, from the user's files to identity-disjoint splits.

Other rooms use `faces.FaceDataset`, `splits` (`SplitFaces`, `split_faces`), `pixels.unit_pixels`, `image_rows`, and the
room `prepared`.
"""
