"""Draws the faces of the data set `synthetic`, which needs no files and is the same on every machine.

Other rooms use `synthetic.read_synthetic`.
"""
