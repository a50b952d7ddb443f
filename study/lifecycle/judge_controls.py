"""The judge's controls of a study, run once for its faces and split, and kept beside the prepared faces.

Controls show that the judge works: a ceiling is what attackers read from raw inputs, and a floor is an attack on
representations without information, whose AUC has to be near 0.5.
"""

import json
from pathlib import Path

from aia_models.data.prepared.prepare import open_prepared
from aia_models.data.splits import split_faces
from aia_models.judging.controls import judge_controls
from aia_models.judging.judge import JUDGE_VERSION
from analysis.atomic_write import atomic_write
from study.spec.spec import StudySpec

CONTROL_SEED = 0  # the seed of the control attackers, fixed because controls do not depend on a study's seed


def load_or_run_controls(spec: StudySpec, prepared: Path) -> str:
    """Return the controls as JSON text, from an earlier study with the same faces and split if there is one.

    Raises ControlError if a floor does not hold.
    """
    faces = split_faces(open_prepared(prepared), spec.attributes, spec.split_seed)
    path = prepared.parent / f"controls-{JUDGE_VERSION}-{faces.fingerprint[:16]}.json"
    if not path.is_file():
        controls = judge_controls(faces, CONTROL_SEED)
        content = {"judge_version": JUDGE_VERSION, **controls.content()}
        with atomic_write(path) as aside:
            aside.write_text(json.dumps(content, indent=2) + "\n")
    return path.read_text("utf-8")
