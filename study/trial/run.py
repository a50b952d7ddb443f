"""One trial from plan to final rows: train, fit the release channel, judge, keep the checkpoint. No Ray."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import torch
from threadpoolctl import threadpool_limits

from aia_models.config import ComputeConfig, TrainingConfig, content_key
from aia_models.data.prepared.prepare import open_prepared
from aia_models.data.splits import SplitFaces, split_faces
from aia_models.errors import DivergedError
from aia_models.judging.in_loop import InLoopFigures, judge_in_loop
from aia_models.judging.judge import Judgement, judge
from aia_models.judging.released import release_faces
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer, fit_anonymizer
from aia_models.training.allocator import keep_freed_memory
from aia_models.training.trainer import EpochRecord, Trainer
from analysis.tables.schema import EXAMPLES
from analysis.tables.trial_row import Status
from study.spec.spec import StudySpec, judged_epochs
from study.storage.paths import CHECKPOINTS, RESAMPLES, STATES
from study.storage.prepared_cache import on_this_node
from study.storage.retry import becomes_writable, is_writable, retry_storage
from study.storage.study_storage import open_storage
from study.trial.plan import TrialPlan
from study.trial.reconstructions import examples_png
from study.trial.resamples import write_resamples
from study.trial.rows import (
    Outcome,
    Row,
    attack_rows,
    epoch_figures,
    epoch_rows,
    exception_line,
    judged_figures,
    match_rows,
    trial_row,
)
from study.trial.saved_training import SavedTraining, Trained
from study.trial.shared_stage1 import SharedStage1
from study.trial.training_config import training_config

STAGE1_VERSION = 2  # raise it when the code of stage 1 changes what it computes
JOINT_VERSION = 1  # raise it when the code of joint training or its judging does


class Interrupted(Exception):
    """Thrown into a trial that is to end here and go on in another process."""


@dataclass(frozen=True)
class TrialContext:
    """What all trials of a study share: its spec and, as paths or URIs, where its prepared faces and itself lie."""

    spec_json: str
    prepared: str
    directory: str

    @property
    def spec(self) -> StudySpec:
        """The study's frozen spec."""
        return StudySpec.model_validate_json(self.spec_json)

    def faces(self) -> SplitFaces:
        """The split faces, from the node's one prepared, memory-mapped copy."""
        return split_faces(
            open_prepared(retry_storage(lambda: on_this_node(self.prepared))),
            self.spec.attributes,
            self.spec.split_seed,
        )


@dataclass(frozen=True)
class EpochReport:
    """What a trial says after an epoch. `joint_epoch` counts from 1, 0 in stage 1.

    Where the epoch was judged `so_far` holds the trial's rows as they are if it is stopped here.
    """

    record: EpochRecord
    joint_epoch: int
    so_far: Outcome | None = None


@dataclass(frozen=True)
class NoStorage:
    """A trial that cannot end, since nothing can be written to its study; `reason` is one line."""

    reason: str


def run_trial(
    plan: TrialPlan, context: TrialContext, load_faces: Callable[[], SplitFaces], compute: ComputeConfig
) -> Generator[EpochReport | Outcome | NoStorage]:
    """Yields a report per epoch and, last, the trial's outcome, also when it failed or diverged.

    Faces are loaded here, so that faces that cannot be read are the trial's recorded error. A trial of which an earlier
    process left a saved training goes on from there, and reports its judged epochs once more. Whoever throws
    Interrupted into it has it saved as it stands. Where an error came with a storage that takes no files it waits for
    that to come back and begins again; if it does not, NoStorage is the last.
    """
    while not (yield from _attempt(plan, context, load_faces, compute)):
        pass


def _attempt(
    plan: TrialPlan, context: TrialContext, load_faces: Callable[[], SplitFaces], compute: ComputeConfig
) -> Generator[EpochReport | Outcome | NoStorage, None, bool]:
    """Whether the trial is over."""
    running = _Running(plan, context, compute)
    torch.set_num_threads(compute.threads)
    keep_freed_memory()
    try:
        with threadpool_limits(compute.threads):
            yield from running.train(load_faces())
            final = running.final()
    except Interrupted:
        running.save()
        return True
    except DivergedError as error:
        final = running.ended("diverged", error=exception_line(error))
    except Exception as error:  # noqa: BLE001  whatever broke a trial becomes its row; the study goes on
        storage = open_storage(context.directory)
        if is_writable(storage):
            final = running.ended("failed", error=exception_line(error))
        elif becomes_writable(storage):
            return False
        else:
            yield NoStorage(f"{storage} takes no files: {exception_line(error)}")
            return True
    yield final
    return True


class _Running:
    """A trial under way: its trainer, and what it has behind it."""

    def __init__(self, plan: TrialPlan, context: TrialContext, compute: ComputeConfig) -> None:
        self._started = time.perf_counter()
        self._plan = plan
        self._spec = context.spec
        self._place = open_storage(context.directory)
        self._compute = compute
        self._trained = Trained()
        self._device: str | None = None
        self._saved: SavedTraining | None = None

    def train(self, faces: SplitFaces) -> Iterator[EpochReport]:
        """Both stages; search trials are judged on the way where the spec says so."""
        self._faces = faces
        device = self._compute.device
        self._device = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
        self._config = training_config(self._plan, self._spec)
        self._trainer = Trainer(self._config, self._compute, faces)
        key = stage1_key(self._config, faces.fingerprint, torch.device(device).type)
        everything = [JOINT_VERSION, key, asdict(self._config), asdict(self._compute)]
        self._saved = SavedTraining(self._place, f"{STATES}/{self._plan.trial_id}", content_key(everything))
        earlier = self._saved.take_up(self._trainer)
        if earlier is None:
            yield from self._stage1(SharedStage1(self._place, key))
        else:
            self._trained = earlier
            for epoch, outcome in earlier.stopped_there.items():
                yield EpochReport(earlier.records[epoch - 1], self._joint_epoch(epoch), outcome)
        yield from self._joint(self._saved)

    def save(self) -> None:
        """Saves joint training as it stands; stage 1 is kept by those who share it."""
        if self._saved and self._trained.records and self._trained.records[-1].stage == "joint":
            self._saved.save(self._trainer, self._as_of_now())

    def _stage1(self, stage1: SharedStage1) -> Iterator[EpochReport]:
        try:
            for record in stage1.run(self._trainer):
                self._trained.records.append(record)
                yield EpochReport(record, 0)
        finally:
            self._trained.stage1 = stage1.columns()

    def _joint(self, saved: SavedTraining) -> Iterator[EpochReport]:
        given = self._plan.optuna_number is None and not self._spec.judge_each_epoch  # no rung compares it
        judged = () if given or self._plan.phase != "search" else judged_epochs(self._spec)
        for record in self._trainer.run_joint():
            self._trained.records.append(record)
            joint_epoch = self._joint_epoch(record.epoch)
            so_far = self._stopped_here() if joint_epoch in judged else None
            if so_far:
                self._trained.stopped_there[record.epoch] = so_far
            saved.save_if_cheap(self._trainer, self._as_of_now())
            yield EpochReport(record, joint_epoch, so_far)

    def _joint_epoch(self, epoch: int) -> int:
        budget = self._config.budget
        return epoch - budget.autoencoder_epochs - budget.heads_epochs

    def final(self) -> Outcome:
        """Judges the last epoch and keeps the checkpoint and the figures' resamples."""
        anonymizer, judgement, in_loop = self._judge()
        trial_id, checkpoint_path = self._plan.trial_id, f"{CHECKPOINTS}/{self._plan.trial_id}"
        resamples = f"{RESAMPLES}/{trial_id}.parquet"
        write_resamples(self._place.directory / resamples, trial_id, judgement, in_loop)
        retry_storage(lambda: self._place.hand_over(resamples))
        examples = {EXAMPLES: examples_png(anonymizer, self._faces.validation)}
        checkpoint.save(anonymizer, self._place.directory / checkpoint_path, self._about(judgement), examples)
        retry_storage(lambda: self._place.hand_over(checkpoint_path))
        figures = judged_figures(judgement, self._trained.records[-1], in_loop)
        return self.ended("complete", judgement, **figures, checkpoint=checkpoint_path)

    def ended(self, status: Status, judgement: Judgement | None = None, **figures: object) -> Outcome:
        """The trial's rows with the epochs so far and what they took, and the attacks and matches of a judgement."""
        return Outcome(
            trial_row(self._plan, self._spec, status, **figures, **self._effort()),
            epoch_rows(self._plan, self._trained.records, self._trained.judged),
            attack_rows(self._plan, judgement) if judgement else [],
            match_rows(self._plan, judgement) if judgement else [],
        )

    def _effort(self) -> Row:
        """Columns of `trials` that say what the trial took."""
        records = self._trained.records
        return {
            "epochs": len(records),
            "train_images_seen": records[-1].train_images_seen if records else 0,
            "wall_seconds": self._as_of_now().seconds,
            "device": self._device,
            "torch_version": torch.__version__,
            **self._trained.stage1,
        }

    def _as_of_now(self) -> Trained:
        return replace(self._trained, seconds=self._trained.seconds + time.perf_counter() - self._started)

    def _stopped_here(self) -> Outcome:
        _, judgement, in_loop = self._judge()
        figures = judged_figures(judgement, self._trained.records[-1], in_loop)
        return self.ended("stopped_early", judgement, **figures)

    def _judge(self) -> tuple[Anonymizer, Judgement, Mapping[str, InLoopFigures]]:
        started = time.perf_counter()
        config = self._config
        suite = "full" if self._plan.phase == "confirm" else self._spec.suite
        anonymizer = fit_anonymizer(self._trainer.networks, config, self._faces)
        released = release_faces(anonymizer, self._faces, config.seed, suite)
        shape = anonymizer.encoder.map_shape
        judgement = judge(released, shape, suite, config.seed, anonymizer.decode, self._compute.device)
        in_loop = judge_in_loop(self._trainer.networks, released)
        self._trained.judged[self._trained.records[-1].epoch] = epoch_figures(
            judgement, time.perf_counter() - started
        )
        return anonymizer, judgement, in_loop

    def _about(self, judgement: Judgement) -> dict[str, object]:
        return {
            "study": self._spec.name,
            "trial_id": self._plan.trial_id,
            "method": self._plan.method,
            "attributes": list(self._faces.attributes),
            "data_fingerprint": self._faces.fingerprint,
            "preparation": {"grey": True, "crop": "centred square", "image_side": self._faces.image_side},
            "attacker_auc_validation": judgement.strongest_attack("validation").folded_auc,
            "matching_auc_validation": judgement.best_match("validation").auc,
        }


def stage1_key(config: TrainingConfig, fingerprint: str, device: str) -> str:
    """Content key of stage 1: all that it depends on, which α, β, channel and adversary steps are no part of.

    Random streams go on only on the type of `device` where they began.
    """
    adversary = replace(config.adversary, steps=1, restart_epochs=None)
    networks = [asdict(part) for part in (config.encoder, config.decoder, adversary, config.matcher)]
    budget = (config.budget.autoencoder_epochs, config.budget.heads_epochs)
    optimiser = (config.learning_rate, config.batch_images, config.augmentation, len(config.betas))
    elsewhere = [] if device == "cpu" else [device]
    return content_key([STAGE1_VERSION, fingerprint, networks, budget, optimiser, config.seed, *elsewhere])
