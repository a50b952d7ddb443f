"""The tables of a study: what their rows hold, where they are, and how they are read and checked.

Other rooms use `trial_row` and `rows` (the columns), `schema` (Arrow schemas, `to_table`, `checked`), `objectives`,
`location` (paths and URIs), `parts` (the files of a table) and `reader` (`open_tables`, `read_trials` and the like).
"""
