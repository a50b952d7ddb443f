"""Names of the files and folders in a study's directory and beside the studies."""

SPEC_FILE = "study.toml"  # the frozen spec
JOURNAL = "search.journal"  # Optuna's journal storage
CONTROLS = "controls.json"  # the judge's controls: its figures on raw inputs and on random representations
CHECKPOINTS = "checkpoints"
RESAMPLES = "resamples"  # one file per trial: its figures in each bootstrap resample of the judged people
STAGE1 = "stage1"  # one folder per stage-1 key: the networks that trials with the same key share
STATES = "state"  # one folder per running trial: the training state from which its next process continues
IMAGE_CLASSIFIER = "image_classifier.safetensors"  # only in the study of a `paper` run
IMPORTANCE = "importance.parquet"  # the importance of each hyperparameter
REPORT = "report.html"
PREPARED = ".prepared"  # beside the studies: prepared faces that the studies share
