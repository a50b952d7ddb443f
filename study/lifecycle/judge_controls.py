"""The judge's controls of a study: run once for its faces, split and suite, kept beside the prepared faces."""

import json
import os
import tempfile
from pathlib import Path

from aia_models.data.prepared.prepare import open_prepared
from aia_models.data.splits import split_faces
from aia_models.judging.controls import judge_controls
from aia_models.judging.judge import JUDGE_VERSION
from study.spec.spec import StudySpec

CONTROL_SEED = 0  # of the attackers; the controls are no part of any study's search


def controls_of(spec: StudySpec, prepared: Path) -> str:
    """The controls as JSON text, run where no earlier study has; ControlError where a floor does not hold."""
    faces = split_faces(open_prepared(prepared), spec.attributes, spec.split_seed)
    kept = prepared.parent / f"controls-{spec.suite}-{JUDGE_VERSION}-{faces.fingerprint[:16]}.json"
    if not kept.is_file():
        controls = judge_controls(faces, spec.suite, CONTROL_SEED)
        content = {"suite": spec.suite, "judge_version": JUDGE_VERSION, **controls.content()}
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as aside:
            aside.write(json.dumps(content, indent=2) + "\n")
        os.chmod(aside.name, 0o644)
        os.replace(aside.name, kept)
    return kept.read_text("utf-8")
