"""Search spaces in plain Python: every hyperparameter with its range and default, and the named spaces of them.

Other packages use `hyperparameters.HYPERPARAMETERS`, `MAX_ATTRIBUTES`, `check_fixed` and `resolve`; `spaces.SPACES`
and `Space`; the domains and `Value` of `domains`; `grid.Grid`; `to_point` and `from_point` of `unit_cube`; and
`errors.SpaceError`.
"""
