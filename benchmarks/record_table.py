"""Records the table that `replay.py` replays: Sobol designs of a space, judged after every joint epoch.

The recording is a study of the project itself, by default with the spec `recorded.toml`, on drawn faces. If it is
interrupted, the same command continues it. When it is complete, it is condensed into one file, by default
`recorded.parquet` beside this script.

    python benchmarks/record_table.py STORAGE          # 200 designs x 2 seeds: about 50 minutes on 2 cores
"""

import argparse
import subprocess
import sys
from pathlib import Path

from scipy.stats import qmc
from shared.arguments import at_least

from search_spaces.unit_cube import from_point
from study.replay.recording import write_table
from study.spec.files import load_spec, to_toml, with_settings
from study.spec.spec import StudySpec, searched_space, with_defaults
from study.storage.paths import SPEC_FILE

NAME, SEED = "recorded", 0
TABLE = Path(__file__).with_name("recorded.parquet")
SPEC = Path(__file__).with_name("recorded.toml")


def recorded_spec(spec_name: str, designs: int, seeds: int) -> StudySpec:
    """The spec of the recording."""
    spec = load_spec(spec_name)
    searched = searched_space(spec)
    points = qmc.Sobol(len(searched.parameters), rng=SEED).random_base2((designs - 1).bit_length())[:designs]
    drawn = tuple(from_point(searched, point) for point in points.tolist())
    settings = ["trials=0", f"seeds={seeds}", "baselines=[]", "judge_each_epoch=true", f"name={NAME}"]
    return with_defaults(with_settings(spec.model_copy(update={"designs": drawn}), settings))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("storage", type=Path)
    parser.add_argument("--spec", default=str(SPEC), help="the spec whose budget and space are recorded")
    parser.add_argument("--designs", type=at_least(1), default=200)
    parser.add_argument("--seeds", type=at_least(1), default=2)
    parser.add_argument("--table", type=Path, default=TABLE, help="the file that the study is condensed into")
    given = parser.parse_args()
    command = str(Path(sys.executable).with_name("aia-study"))
    study, asked = given.storage / NAME, recorded_spec(given.spec, given.designs, given.seeds)
    if study.exists():
        begun = load_spec(str(study / SPEC_FILE))
        for name in ("space", "training", "seeds", "designs"):
            if getattr(begun, name) != getattr(asked, name):
                parser.error(
                    f"{study} was begun with other {name}: give the options of then, or another STORAGE"
                )
        subprocess.run([command, "resume", str(study)], check=True)
    else:
        given.storage.mkdir(parents=True, exist_ok=True)
        spec = given.storage / f"{NAME}.toml"
        spec.write_text(to_toml(asked))
        options = ["--storage", str(given.storage), "--name", NAME]
        subprocess.run([command, "launch", str(spec), *options], check=True)
    write_table(study, given.table)


if __name__ == "__main__":
    main()
