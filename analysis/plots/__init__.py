"""Draws pictures of a study with plotnine, each at the width of a paper's column and with its evidence as caption.

Other rooms may use `catalogue.PICTURES` (every picture of one study by name), single pictures from `pictures`, and
`elements` (theme, saving, label placement).
"""
