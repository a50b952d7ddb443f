"""The spec of a study: its keys and their types, its TOML files, its constraints, and messages about mistakes in it.

Other rooms use `spec.StudySpec`, `with_defaults`, `searched_space` and `judged_epochs`; the tables of a spec in
`sections` and `early_stopping`; `load_spec`, `with_values`, `with_settings`, `to_toml` and `from_toml` of `files`;
`parse_settings` and `parse_value` of `settings`; the functions of `constraints`; and the names in `choices`.
"""
