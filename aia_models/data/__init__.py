"""Labelled face images, from the user's files to identity-disjoint splits.

Other rooms use `faces.FaceDataset`, `splits` (`SplitFaces`, `split_faces`), `inputs.network_inputs`, `input_rows`, and
the room `prepared`.
"""
