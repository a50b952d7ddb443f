"""Runs one trial from its plan to its final rows: trains, fits the release channel, judges, keeps the checkpoint."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import torch
from threadpoolctl import threadpool_limits

from aia_models.config import ComputeConfig, TrainingConfig, content_key
from aia_models.data.faces import FaceDataset
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
from analysis.tables.schema import EPOCHS_SCHEMA, EXAMPLES, checked
from analysis.tables.trial_row import Status
from study.spec.spec import StudySpec, judged_epochs
from study.storage.outcome import Outcome
from study.storage.paths import CHECKPOINTS, RESAMPLES, STATES
from study.storage.prepared_cache import fetch_prepared
from study.storage.retry import is_writable, retry_storage, wait_until_writable
from study.storage.study_storage import open_storage
from study.trial.plan import TrialPlan
from study.trial.reconstructions import examples_png
from study.trial.resamples import write_resamples
from study.trial.rows import (
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

STAGE1_VERSION = 3  # raise it when a change of the code changes the results of stage 1
# Raise it when a change of the code changes the results of joint training or of its judging.
JOINT_VERSION = 4


class Interrupted(Exception):
    """Is thrown into a running trial to end it in this process; another process continues it later."""


@dataclass(frozen=True)
class TrialContext:
    """What all trials of a study share: the study's frozen spec, and the path or URI of its prepared faces
    (`prepared`), of the study itself (`directory`) and of the prepared faces of its `attack_dataset`, if it has one
    (`attack_prepared`)."""

    spec: StudySpec
    prepared: str
    directory: str
    attack_prepared: str | None = None

    def faces(self) -> SplitFaces:
        """Return the split faces, which all processes of a node map from one prepared copy on its disk."""
        return split_faces(_fetched(self.prepared), self.spec.attributes, self.spec.split_seed)

    def attack_faces(self) -> FaceDataset | None:
        """Return the faces of `attack_dataset`, mapped like the split faces, None if the study has no such data set."""
        return None if self.attack_prepared is None else _fetched(self.attack_prepared)


def _fetched(prepared: str) -> FaceDataset:
    return open_prepared(retry_storage(lambda: fetch_prepared(prepared)))


@dataclass(frozen=True)
class EpochReport:
    """Report of a trial after an epoch. `joint_epoch` counts the epochs of joint training from 1; it is 0 in stage 1.

    Where the epoch was judged, `so_far` holds the rows that the trial has if it is stopped after this epoch.
    """

    record: EpochRecord
    joint_epoch: int
    so_far: Outcome | None = None


@dataclass(frozen=True)
class NoStorage:
    """Last report of a trial that cannot end because its study's storage takes no files; `reason` is one line."""

    reason: str


def run_trial(
    plan: TrialPlan, context: TrialContext, load_faces: Callable[[], SplitFaces], compute: ComputeConfig
) -> Generator[EpochReport | Outcome | NoStorage]:
    """Yield a report per epoch and, last, the trial's outcome, also when the trial failed or diverged.

    Faces are loaded in here, so that unreadable faces become the trial's recorded error. Where an earlier process left
    a saved training of this trial, training continues from there and the trial's judged epochs are reported once more.
    When Interrupted is thrown in, the training is saved and the generator ends. When an error occurs while the study's
    storage takes no files, the trial waits for the storage and begins again; if the storage stays away, NoStorage is
    yielded last.
    """
    is_over = False
    while not is_over:
        is_over = yield from _attempt(plan, context, load_faces, compute)


def _attempt(
    plan: TrialPlan, context: TrialContext, load_faces: Callable[[], SplitFaces], compute: ComputeConfig
) -> Generator[EpochReport | Outcome | NoStorage, None, bool]:
    """Run the trial once; return whether it is over, which it is not where it has to begin again."""
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
    except Exception as error:  # noqa: BLE001  any error becomes the trial's row, and the study continues
        storage = open_storage(context.directory)
        if is_writable(storage):
            final = running.ended("failed", error=exception_line(error))
        elif wait_until_writable(storage):
            return False
        else:
            yield NoStorage(f"{storage} takes no files: {exception_line(error)}")
            return True
    yield final
    return True


class _Running:
    """A trial that is running in this process: its trainer, and its training up to now."""

    def __init__(self, plan: TrialPlan, context: TrialContext, compute: ComputeConfig) -> None:
        self._started = time.perf_counter()
        self._plan = plan
        self._context = context
        self._spec = context.spec
        self._storage = open_storage(context.directory)
        self._compute = compute
        self._trained = Trained()
        self._device: str | None = None
        self._saved: SavedTraining | None = None

    def train(self, faces: SplitFaces) -> Iterator[EpochReport]:
        """Train both stages; a search trial is also judged after the epochs that the spec names."""
        self._faces = faces
        self._attack_faces = self._context.attack_faces()
        device = self._compute.device
        self._device = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
        self._config = training_config(self._plan, self._spec)
        self._trainer = Trainer(self._config, self._compute, faces)
        key = stage1_key(self._config, faces.fingerprint, torch.device(device).type)
        inputs = [JOINT_VERSION, key, asdict(self._config), asdict(self._compute)]
        self._saved = SavedTraining(self._storage, f"{STATES}/{self._plan.trial_id}", content_key(inputs))
        earlier = self._saved.take_up(self._trainer)
        if earlier is None:
            yield from self._stage1(SharedStage1(self._storage, key))
        else:
            self._trained = earlier
            for epoch, outcome in earlier.stopped_there.items():
                yield EpochReport(earlier.records[epoch - 1], self._joint_epoch(epoch), outcome)
        yield from self._joint(self._saved)

    def save(self) -> None:
        """Save joint training up to now; stage 1 is saved by the class that shares it between trials."""
        if self._saved and self._trained.records and self._trained.records[-1].stage == "joint":
            self._saved.save(self._trainer, self._as_of_now())

    def _stage1(self, stage1: SharedStage1) -> Iterator[EpochReport]:
        try:
            for record in stage1.run(self._trainer):
                self._add_epoch(record)
                yield EpochReport(record, 0)
        finally:
            self._trained.stage1 = stage1.columns()

    def _joint(self, saved: SavedTraining) -> Iterator[EpochReport]:
        judged = judged_epochs(self._spec) if self._is_judged_on_the_way() else ()
        for record in self._trainer.run_joint():
            self._add_epoch(record)
            joint_epoch = self._joint_epoch(record.epoch)
            so_far = self._stopped_here() if joint_epoch in judged else None
            if so_far:
                self._trained.stopped_there[record.epoch] = so_far
            saved.save_if_cheap(self._trainer, self._as_of_now())
            yield EpochReport(record, joint_epoch, so_far)

    def _add_epoch(self, record: EpochRecord) -> None:
        self._check_epoch(record, {})
        self._trained.records.append(record)

    def _check_epoch(self, record: EpochRecord, judged: Mapping[int, Row]) -> None:
        """Raise ValueError where a figure of the epoch is not finite: a failed trial's rows include its epochs, so an
        epoch that no table can hold must not become one of them."""
        checked(epoch_rows(self._plan, [record], judged), EPOCHS_SCHEMA)

    def _is_judged_on_the_way(self) -> bool:
        """Whether the trial is judged before its last epoch: rungs compare only the trials that Optuna proposed."""
        plan, spec = self._plan, self._spec
        return plan.phase == "search" and (plan.optuna_number is not None or spec.judge_each_epoch)

    def _joint_epoch(self, epoch: int) -> int:
        budget = self._config.budget
        return epoch - budget.autoencoder_epochs - budget.heads_epochs

    def final(self) -> Outcome:
        """Judge the trained networks, write their checkpoint and the figures' resamples, and return the final rows.

        ValueError where a figure is not finite.
        """
        anonymizer, judgement, in_loop = self._judge()
        trial_id, checkpoint_path = self._plan.trial_id, f"{CHECKPOINTS}/{self._plan.trial_id}"
        resamples = f"{RESAMPLES}/{trial_id}.parquet"
        write_resamples(self._storage.directory / resamples, trial_id, judgement, in_loop)
        retry_storage(lambda: self._storage.upload_and_drop(resamples))
        are_images = len(self._faces.input_shape) == 3
        examples = {EXAMPLES: examples_png(anonymizer, self._faces.validation)} if are_images else {}
        checkpoint.save(
            anonymizer, self._storage.directory / checkpoint_path, self._about(judgement), examples
        )
        retry_storage(lambda: self._storage.upload_and_drop(checkpoint_path))
        figures = judged_figures(judgement, self._trained.records[-1], in_loop)
        return self.ended("complete", judgement, **figures, checkpoint=checkpoint_path)

    def ended(self, status: Status, judgement: Judgement | None = None, **figures: object) -> Outcome:
        """Return the trial's rows: its epochs up to now, their costs, and the attacks and matches of a judgement."""
        return Outcome(
            trial_row(self._plan, self._spec, status, **figures, **self._effort()),
            epoch_rows(self._plan, self._trained.records, self._trained.judged),
            attack_rows(self._plan, judgement) if judgement else [],
            match_rows(self._plan, judgement) if judgement else [],
        )

    def _effort(self) -> Row:
        """Return the columns of `trials` that say how long the trial ran, on how many images, and on which device."""
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
        anonymizer = fit_anonymizer(self._trainer.networks, config, self._faces)
        released = release_faces(anonymizer, self._faces, config.seed, self._attack_faces)
        shape = anonymizer.encoder.map_shape
        judgement = judge(released, shape, config.seed, self._compute.device)
        in_loop = judge_in_loop(self._trainer.networks, released)
        last = self._trained.records[-1]
        figures = epoch_figures(judgement, time.perf_counter() - started)
        self._check_epoch(last, {last.epoch: figures})
        self._trained.judged[last.epoch] = figures
        return anonymizer, judgement, in_loop

    def _about(self, judgement: Judgement) -> dict[str, object]:
        return {
            "study": self._spec.name,
            "trial_id": self._plan.trial_id,
            "method": self._plan.method,
            "attributes": list(self._faces.attributes),
            "positive": self._spec.positive,
            "split_seed": self._spec.split_seed,
            "data_fingerprint": self._faces.fingerprint,
            "preparation": _preparation(self._faces.input_shape),
            "attacker_auc_validation": judgement.strongest_attack("validation").folded_auc,
            "matching_auc_validation": judgement.best_match("validation").auc,
        }


def _preparation(input_shape: tuple[int, ...]) -> dict[str, object]:
    """Return what a reader of a checkpoint needs to know about the inputs that it takes."""
    if len(input_shape) == 1:
        return {"template_values": input_shape[0]}
    return {"grey": True, "crop": "centred square", "image_side": input_shape[-1]}


def stage1_key(config: TrainingConfig, fingerprint: str, device: str) -> str:
    """Return a hash of everything that the result of stage 1 depends on. α, β, the channel and the adversary's steps
    are not part of it: trials that differ only in those share stage 1.

    The type of `device` is part of it, because a saved state of random streams can only be restored on the same type.
    """
    adversary = replace(config.adversary, steps=1)
    networks = [asdict(part) for part in (config.encoder, config.decoder, adversary, config.matcher)]
    budget = (config.budget.autoencoder_epochs, config.budget.heads_epochs)
    optimiser = (config.learning_rate, config.weight_decay, config.batch_images, config.augmentation)
    accelerator = [] if device == "cpu" else [device]
    counts = (len(config.betas), config.seed)
    return content_key([STAGE1_VERSION, fingerprint, networks, budget, optimiser, *counts, *accelerator])
