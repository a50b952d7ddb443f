"""Names of what lies in a storage and in a study's directory."""

SPEC_FILE = "study.toml"  # the frozen spec
JOURNAL = "search.journal"  # Optuna's storage
CONTROLS = "controls.json"  # what the judge makes of raw pixels, and of nothing
CHECKPOINTS = "checkpoints"
RESAMPLES = "resamples"  # per trial, its figures in each resample of the judged people
STAGE1 = "stage1"  # what stage 1 left, by its key: trials that agree on it share it
STATES = "state"  # where running trials stand, by trial: their next process goes on from there
IMAGE_CLASSIFIER = "image_classifier.safetensors"  # of a run of `paper`
IMPORTANCE = "importance.parquet"  # how much each hyperparameter matters
REPORT = "report.html"
PREPARED = ".prepared"  # beside the studies: prepared faces that they share
