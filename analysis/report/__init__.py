"""Renders a study as one self-contained HTML page with an interactive frontier, tables and pictures.

Other rooms may use `render.report_page` and `render.waiting_page`.
"""
