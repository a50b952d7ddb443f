"""Figure 3 of the paper on a run's own faces: reconstructions, and Grad-CAM of a gender classifier of images."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aia_models.data.faces import FaceDataset
from aia_models.data.image_rows import ImageRows
from aia_models.data.prepared.prepare import open_prepared
from aia_models.data.splits import split_faces
from aia_models.explain.grad_cam import grad_cam
from aia_models.explain.image_classifier import (
    ImageClassifier,
    as_floats,
    fit_image_classifier,
    load_image_classifier,
    save_image_classifier,
)
from aia_models.measures.bootstrap import folded_auc_bootstrap_samples, identity_weights, interval
from aia_models.measures.metrics import auc, folded
from aia_models.networks.encoder import ENCODED_IMAGES
from aia_models.random_streams import stream
from aia_models.release import checkpoint
from aia_models.release.anonymizer import Anonymizer
from analysis.paper.figure3 import ShownFace
from analysis.paper.page import FacesSection
from analysis.paper.run import FIGURE_3_DESIGN
from analysis.uncertainty.resampled import Estimate
from study.lifecycle.study_directory import StudyDirectory
from study.storage.paths import CHECKPOINTS, IMAGE_CLASSIFIER

PEOPLE_PER_LABEL = 2


def figure_3(study: StudyDirectory, trial_id: str) -> tuple[list[ShownFace], FacesSection]:
    """Faces before and after the anonymizer of `trial_id`, and what the classifier makes of all test images.

    The classifier is trained once on the `train` identities' original images and kept in the study's directory.
    Shown are, of either label, the first people of the test split in the order of their names, each with their
    first image: no figure has a say in it. Maps speak for the label that the classifier reads from the original.
    """
    spec = study.spec
    device = "cuda" if torch.cuda.is_available() else "cpu"
    faces = split_faces(open_prepared(study.prepared), spec.attributes, spec.split_seed)
    classifier = _classifier(study, faces.train, device)
    anonymizer = checkpoint.load(study.path / CHECKPOINTS / trial_id, device)
    test = faces.test
    before = as_floats(test.images, device)
    after = _reconstructed(anonymizer, test.images)
    probabilities = [classifier.probabilities(images) for images in (before, after)]
    chosen = _first_people(test, spec.attributes[0])
    positive = probabilities[0][chosen] > 0.5
    maps = [grad_cam(classifier, images[chosen], positive) for images in (before, after)]
    of_label = [np.where(positive, of[chosen], 1 - of[chosen]) for of in probabilities]
    shown = [
        ShownFace(
            label=f"{spec.attributes[0]} {test.attribute(spec.attributes[0])[row]}, read as {int(label)}",
            original=_pixels(before, row),
            reconstruction=_pixels(after, row),
            map_before=maps[0][place],
            map_after=maps[1][place],
            probability_before=float(of_label[0][place]),
            probability_after=float(of_label[1][place]),
        )
        for place, (row, label) in enumerate(zip(chosen, positive, strict=True))
    ]
    known = test.attribute(spec.attributes[0]) >= 0
    estimates = [
        _auc(of[known], test.attribute(spec.attributes[0])[known], test.identity[known])
        for of in probabilities
    ]
    return shown, FacesSection(*estimates, images=int(known.sum()), caption=_caption(spec.attributes[0]))


def _caption(attribute: str) -> str:
    return (
        f"AIA at α = {FIGURE_3_DESIGN.alpha}, β = {FIGURE_3_DESIGN.beta};"
        f" of either label the first {PEOPLE_PER_LABEL} people of the test"
        " split by name. Grad-CAM of a classifier of images (the paper's six convolutions, trained on original images"
        f" of other people): what speaks for the {attribute} that it reads from the original, with its probability"
        " before and after; each map has its own scale."
    )


def _classifier(study: StudyDirectory, train: FaceDataset, device: str) -> ImageClassifier:
    path: Path = study.path / IMAGE_CLASSIFIER
    if not path.is_file():
        classifier = fit_image_classifier(train, study.spec.attributes[0], study.spec.seed, device)
        save_image_classifier(classifier, path)
    return load_image_classifier(path, study.spec.image_side, device)


def _reconstructed(anonymizer: Anonymizer, images: np.ndarray | ImageRows) -> Tensor:
    """The decoder's images for what is released, the noise that of judging."""
    device = anonymizer.channel.low.device
    noise = stream(anonymizer.config.seed, "release", "test", device=device)
    parts = anonymizer.release(images, noise).split(ENCODED_IMAGES)
    return torch.cat([anonymizer.reconstruct(part) for part in parts])


def _first_people(faces: FaceDataset, attribute: str) -> np.ndarray:
    """Rows of the first image of the first people of label 1, then of label 0."""
    _, first_rows = np.unique(faces.identity, return_index=True)
    labels = faces.attribute(attribute)[first_rows]
    return np.concatenate([first_rows[labels == label][:PEOPLE_PER_LABEL] for label in (1, 0)])


def _pixels(images: Tensor, row: int) -> np.ndarray:
    return images[row, 0].double().cpu().numpy()


def _auc(probability: np.ndarray, label: np.ndarray, identity: np.ndarray) -> Estimate:
    positive = label == 1
    draws = folded_auc_bootstrap_samples(probability, positive, identity_weights(identity))
    return Estimate(folded(auc(probability, positive)), *interval(draws))
