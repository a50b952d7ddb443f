"""One trial from plan to final rows: train, fit the release channel, judge, keep the checkpoint. No Ray."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from aia_models import checkpoint
from aia_models.allocator import keep_freed_memory
from aia_models.anonymizer import fit_anonymizer, release_faces
from aia_models.config import ComputeConfig, TrainingConfig, content_key
from aia_models.data.prepare import open_prepared
from aia_models.data.splits import SplitFaces, split_faces
from aia_models.errors import DivergedError
from aia_models.in_loop import judge_in_loop
from aia_models.judging import Judgement, judge
from aia_models.metrics import folded
from aia_models.training import EpochRecord, Trainer
from study.design import training_config
from study.layout import CHECKPOINTS, RESAMPLES
from study.outcome import (
    Outcome,
    attack_rows,
    epoch_rows,
    exception_line,
    failed,
    judged_figures,
    match_rows,
    trial_row,
)
from study.plan import TrialPlan
from study.resamples import write_resamples
from study.spec import StudySpec

STAGE1_VERSION = 2  # raise it when the code of stage 1 changes what it computes


@dataclass(frozen=True)
class TrialContext:
    """What all trials of a study share: its spec and where its prepared faces and its directory lie."""

    spec_json: str
    prepared: str
    directory: str

    @property
    def spec(self) -> StudySpec:
        """The study's frozen spec."""
        return StudySpec.model_validate_json(self.spec_json)

    def faces(self) -> SplitFaces:
        """The split faces, from the one prepared, memory-mapped copy."""
        return split_faces(open_prepared(Path(self.prepared)), self.spec.attributes, self.spec.split_seed)


def run_trial(
    plan: TrialPlan, context: TrialContext, load_faces: Callable[[], SplitFaces], compute: ComputeConfig
) -> Iterator[EpochRecord | Outcome]:
    """Yields a record per epoch and, last, the trial's outcome, also when it failed or diverged.

    Faces are loaded here, so that faces that cannot be read are the trial's recorded error.
    """
    started = time.perf_counter()
    records: list[EpochRecord] = []
    spec = context.spec
    torch.set_num_threads(compute.threads)
    keep_freed_memory()
    try:
        with threadpool_limits(compute.threads):
            config, faces = training_config(plan, spec), load_faces()
            trainer = Trainer(config, compute, faces)
            for record in trainer.run():
                records.append(record)
                yield record
            anonymizer = fit_anonymizer(trainer.networks, config, faces)
            suite = "full" if plan.phase == "confirm" else spec.suite
            released = release_faces(anonymizer, faces, config.seed, suite)
            shape = anonymizer.encoder.map_shape
            judgement = judge(released, shape, suite, config.seed, anonymizer.decode, compute.device)
            in_loop = judge_in_loop(trainer.networks, released)
            resamples = Path(context.directory, RESAMPLES, f"{plan.trial_id}.parquet")
            write_resamples(resamples, plan.trial_id, judgement, in_loop)
            about = _about(plan, spec, faces, judgement)
            checkpoint.save(anonymizer, Path(context.directory, CHECKPOINTS, plan.trial_id), about)
            row = trial_row(
                plan, spec, "complete", **judged_figures(judgement, records[-1], in_loop),
                **_effort(records, compute, started),
                stage1_key=stage1_key(config, faces.fingerprint), stage1_reused=False,
                stage1_wait_seconds=0.0, checkpoint=f"{CHECKPOINTS}/{plan.trial_id}",
            )  # fmt: skip
            final = Outcome(
                row,
                epoch_rows(plan, records, judgement),
                attack_rows(plan, judgement),
                match_rows(plan, judgement),
            )
            final.to_json()  # a figure that is no number is this trial's error, not its worker's
    except DivergedError as error:
        effort = _effort(records, compute, started)
        row = trial_row(plan, spec, "diverged", error=exception_line(error), **effort)
        yield Outcome(row, epoch_rows(plan, records, None))
        return
    except Exception as error:  # noqa: BLE001  whatever broke a trial becomes its row; the study goes on
        outcome = failed(plan, spec, exception_line(error))
        yield replace(outcome, epochs=epoch_rows(plan, records, None))
        return
    yield final


def stage1_key(config: TrainingConfig, fingerprint: str) -> str:
    """Content key of stage 1: all that it depends on, which α, β, channel and adversary steps are no part of."""
    adversary = replace(config.adversary, steps=1, restart_epochs=None)
    networks = [asdict(part) for part in (config.encoder, config.decoder, adversary, config.matcher)]
    budget = (config.budget.autoencoder_epochs, config.budget.heads_epochs)
    optimiser = (config.learning_rate, config.batch_images, config.augmentation, len(config.betas))
    return content_key([STAGE1_VERSION, fingerprint, networks, budget, optimiser, config.seed])


def _effort(records: list[EpochRecord], compute: ComputeConfig, started: float) -> dict[str, object]:
    cuda = compute.device.startswith("cuda")
    return {
        "epochs": len(records),
        "train_images_seen": records[-1].train_images_seen if records else 0,
        "wall_seconds": time.perf_counter() - started,
        "device": torch.cuda.get_device_name(compute.device) if cuda else compute.device,
        "torch_version": torch.__version__,
    }


def _about(plan: TrialPlan, spec: StudySpec, faces: SplitFaces, judgement: Judgement) -> dict[str, object]:
    return {
        "study": spec.name,
        "trial_id": plan.trial_id,
        "method": plan.method,
        "attributes": list(faces.attributes),
        "data_fingerprint": faces.fingerprint,
        "preparation": {"grey": True, "crop": "centred square", "image_side": faces.image_side},
        "attacker_auc_validation": folded(judgement.strongest_attack("validation").auc),
        "matching_auc_validation": judgement.best_match("validation").auc,
    }
