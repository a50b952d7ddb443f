"""Names of what lies in a storage and in a study's directory."""

SPEC_FILE = "study.toml"  # the frozen spec
JOURNAL = "search.journal"  # Optuna's storage
CHECKPOINTS = "checkpoints"
PICTURE = "frontier.png"
PREPARED = ".prepared"  # beside the studies: prepared faces that they share
