"""A study with many faults of every kind at random moments, and a verdict on what was lost.

    python -m tests.faults.campaign --rounds 30          # about 20 minutes on 2 cores

The study runs on a local cluster of a head and two further raylets. Each round waits for a random time, then
causes one of `KINDS`, among them a full disk if the user may mount one; if the fault ends the driver,
`aia-study resume` continues the study. A reader scans the tables all the time. In the end the tables are
compared with those of the same study without faults.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from study.cli import run
from tests.faults.disk import SmallDisk, may_mount
from tests.faults.reader import Reader
from tests.faults.verdict import judged
from tests.small_faces import GENDERS, write_faces

NAME = "faults"
AIA_STUDY = str(Path(sys.executable).with_name("aia-study"))
AWAY_SECONDS = 5.0
DISK_MEBIBYTES = 256


@dataclass
class Campaign:
    """One study that suffers faults: its cluster, its driver, and the number of faults of each kind."""

    work: Path
    disk: SmallDisk | None
    settings: list[str]
    cluster: Cluster
    kinds: list[str]
    rng: random.Random
    done: Counter[str] = field(default_factory=Counter)
    driver: subprocess.Popen | None = None

    @property
    def storage(self) -> Path:
        return (self.disk.path if self.disk else self.work) / "storage"

    @property
    def study(self) -> Path:
        return self.storage / NAME

    def run(self) -> None:
        """Launch or resume the study unless its driver runs."""
        if self.driver is not None and self.driver.poll() is None:
            return
        begun = (self.study / "study.toml").is_file()
        what = ["resume", str(self.study)] if begun else launching(self.storage, self.settings)
        command = [AIA_STUDY, *what, "--address", self.cluster.address]
        with (self.work / "driver.log").open("a") as log:
            self.driver = subprocess.Popen(command, stdout=log, stderr=log, env=environment())

    def is_complete(self) -> bool:
        """Return whether the driver ended because the study is complete."""
        return self.driver is not None and self.driver.poll() == 0

    def fault(self) -> None:
        """Cause a fault of a random kind at once."""
        kind = self.rng.choice(self.kinds)
        KINDS[kind](self)
        self.done[kind] += 1

    def signalled(self, *signals: signal.Signals) -> None:
        assert self.driver is not None
        for number in signals:
            self.driver.send_signal(number)
            time.sleep(0.3 if len(signals) > 1 else 0.0)
        self.driver.wait()

    def worker_killed(self) -> None:
        """Kill a worker that runs a trial, as soon as there is one."""
        assert self.driver is not None
        while not (workers := trial_processes()):
            time.sleep(0.1)
            if self.driver.poll() is not None:
                return
        os.kill(self.rng.choice(workers), signal.SIGKILL)

    def node_killed(self) -> None:
        """Kill a raylet with all its workers, and let another raylet join."""
        node = self.rng.choice(list(self.cluster.worker_nodes))
        self.cluster.remove_node(node, allow_graceful=False)
        self.cluster.add_node(num_cpus=1)

    def storage_gone(self) -> None:
        """Rename the storage, and rename it back after some seconds."""
        assert self.driver is not None
        # A driver that launches a study creates missing folders, so the fault waits until it has done so.
        while not (self.study / "study.toml").exists():
            time.sleep(0.1)
            if self.driver.poll() is not None:
                return
        away = self.storage.with_name("away")
        self.storage.rename(away)
        time.sleep(AWAY_SECONDS)
        assert not self.storage.exists(), "somebody made it anew: what is written there is lost"
        away.rename(self.storage)

    def disk_full(self) -> None:
        """Fill the disk, and free it after some seconds."""
        assert self.disk is not None
        with self.disk.full():
            time.sleep(AWAY_SECONDS)


KINDS: dict[str, Callable[[Campaign], None]] = {
    "driver killed": lambda campaign: campaign.signalled(signal.SIGKILL),
    "driver interrupted": lambda campaign: campaign.signalled(signal.SIGINT),
    "driver interrupted twice": lambda campaign: campaign.signalled(signal.SIGINT, signal.SIGINT),
    "driver terminated": lambda campaign: campaign.signalled(signal.SIGTERM),
    "worker killed": Campaign.worker_killed,
    "node killed": Campaign.node_killed,
    "storage gone": Campaign.storage_gone,
}
DISK_FULL = "disk full"
if may_mount():
    KINDS[DISK_FULL] = Campaign.disk_full


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def launching(storage: Path, settings: list[str]) -> list[str]:
    return ["launch", "quick", "--storage", str(storage), "--name", NAME, *settings]


def settings_of(folder: Path, trials: int) -> list[str]:
    """Return options of a study of short trials whose designs do not depend on the order of their ends."""
    keys = [
        "sampler=random",
        "image_side=16",
        "training.stage1_epochs=2",
        "training.heads_epochs=1",
        "training.joint_epochs=20",
        "fixed.learning_rate=0.002",
        "fixed.channel=none",
        "baselines=['original']",
        "resources.cpus_per_trial=1",
    ]
    given = [part for key in keys for part in ("--set", key)]
    return ["--dataset", f"folder:{folder}", "--trials", str(trials), *given]


def trial_processes() -> list[int]:
    """Return the workers that run a trial in clusters of this process, by the name of Ray's processes."""
    found = subprocess.run(["pgrep", "-f", "^ray::ResourceTrainable"], capture_output=True, text=True)
    return [pid for pid in map(int, found.stdout.split()) if os.getpid() in ancestors(pid)]


def ancestors(pid: int) -> Iterator[int]:
    """Yield the parent of a process, its parent and so on, until process 1 or one that has ended."""
    with suppress(FileNotFoundError):
        while pid > 1:
            status = Path(f"/proc/{pid}/status").read_text()
            pid = int(status.partition("PPid:")[2].split()[0])
            yield pid


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--trials", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--longest", type=float, default=20.0, help="seconds before a fault, at most")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        work = Path(name)
        settings = settings_of(write_faces(work / "faces", GENDERS), given.trials)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        undisturbed, filled = work / "undisturbed", DISK_FULL in given.kinds
        with closing(SmallDisk(work / "disk", DISK_MEBIBYTES)) if filled else nullcontext() as disk:
            campaign = Campaign(work, disk, settings, cluster, given.kinds, random.Random(given.seed))
            try:
                run_undisturbed(undisturbed, settings, cluster)
                with Reader(campaign.study) as reader:
                    rounds = fought(campaign, given.rounds, given.longest)
            finally:
                ray.shutdown()
                cluster.shutdown()
            verdict = judged(campaign.study, undisturbed / NAME, NAME)
    print(f"faults: {dict(campaign.done)}; {reader.scans} scans")
    for problem in reader.problems[:10]:
        print(f"reader: {problem}")
    print(
        f"RESULT rounds={rounds} lost={verdict.lost} duplicates={verdict.duplicates} zombies={verdict.zombies}"
        f" reader_errors={len(reader.problems)} differing_rows={verdict.differing_rows}"
    )
    clean = not (verdict.lost or verdict.duplicates or verdict.zombies or verdict.differing_rows)
    return 0 if clean and not reader.problems else 1


def run_undisturbed(storage: Path, settings: list[str], cluster: Cluster) -> None:
    with Path(os.devnull).open("w") as quiet, redirect_stdout(quiet), redirect_stderr(quiet):
        assert run([*launching(storage, settings), "--address", cluster.address]) == 0


def fought(campaign: Campaign, rounds: int, longest: float) -> int:
    """Cause faults for up to `rounds` rounds, complete the study, and return the number of rounds."""
    for number in range(rounds):
        campaign.run()
        ends = time.monotonic() + campaign.rng.uniform(0.5, longest)
        while time.monotonic() < ends and not campaign.is_complete():
            time.sleep(0.1)
        if campaign.is_complete():
            return number
        if campaign.driver is not None and campaign.driver.poll() is None:
            campaign.fault()
    while not campaign.is_complete():
        campaign.run()
        assert campaign.driver is not None
        campaign.driver.wait()
    return rounds


if __name__ == "__main__":
    sys.exit(main())
