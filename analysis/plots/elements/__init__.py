"""Holds what several pictures share: their look, the points of a frontier picture, and where labels go.

Other rooms may use `theme` (sizes, colours, captions, saving), `frontier_points` and `label_placement`.
"""
