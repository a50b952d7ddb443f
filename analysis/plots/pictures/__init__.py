"""Holds one module per picture, each with one function `plot_…` that returns a plotnine plot.

Other rooms may use every `plot_…` function; `analysis.plots.catalogue` lists those that need one study alone.
"""
