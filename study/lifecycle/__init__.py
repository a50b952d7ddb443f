"""Lifecycle: makes a study's directory, opens and extends it, and decides which trials and checkpoints it has.

Other rooms use `study_directory` to create or open a study, `study_faces` for its prepared faces, `study_extension` to
extend its plan, `planned_trials` and `confirmation_trials` for the trials outside the search, `checkpoint_pruning` to
remove checkpoints that nobody needs, `judge_controls` for the judge's controls, and `example_study` for the study that
ships with the package.
"""
