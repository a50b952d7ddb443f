"""Search: proposes designs, learns from their results, and decides which trials stop early. The only room with Optuna.

Other rooms use `proposals.Proposals` to ask for designs and tell results, `warm_start` to begin with the trials of an
earlier study, `halving` for early stopping, `journal.read_only` to show the search, and `importance` to assess
hyperparameters.
"""
