"""Figure 3 of the paper on the faces of a run: reconstructions, and Grad-CAM of a gender classifier of images."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aia_models.data.faces import FaceDataset
from aia_models.data.input_rows import InputRows
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
    """Return faces before and after the anonymizer of `trial_id`, and a classifier's AUC on all test images.

    The classifier is trained once on the original images of the `train` identities and stored in the study's
    directory. The faces are the first images of the first people of each label in the test split, in the order of
    their names, so that no result influences the choice. The Grad-CAM maps and the probabilities are for the label
    that the classifier predicts from the original image.
    """
    spec = study.spec
    device = "cuda" if torch.cuda.is_available() else "cpu"
    faces = split_faces(open_prepared(study.prepared), spec.attributes, spec.split_seed)
    classifier = _classifier(study, faces.train, device)
    anonymizer = checkpoint.load(study.path / CHECKPOINTS / trial_id, device)
    test = faces.test
    attribute = spec.attributes[0]
    labels = test.attribute(attribute)
    before = as_floats(test.inputs, device)
    after = _reconstructions(anonymizer, test.inputs)
    probabilities = [classifier.probabilities(images) for images in (before, after)]
    rows = _first_people(test, attribute)
    predicted = probabilities[0][rows] > 0.5
    maps = [grad_cam(classifier, images[rows], predicted) for images in (before, after)]
    label_probabilities = [np.where(predicted, p[rows], 1 - p[rows]) for p in probabilities]
    shown = [
        ShownFace(
            label=f"{attribute} {labels[row]}, read as {int(label)}",
            original=_pixels(before, row),
            reconstruction=_pixels(after, row),
            map_before=maps[0][index],
            map_after=maps[1][index],
            probability_before=float(label_probabilities[0][index]),
            probability_after=float(label_probabilities[1][index]),
        )
        for index, (row, label) in enumerate(zip(rows, predicted, strict=True))
    ]
    labelled = labels >= 0
    estimates = [_auc(p[labelled], labels[labelled], test.identity[labelled]) for p in probabilities]
    return shown, FacesSection(*estimates, images=int(labelled.sum()), caption=_caption(attribute))


def _caption(attribute: str) -> str:
    return (
        f"AIA at α = {FIGURE_3_DESIGN.alpha}, β = {FIGURE_3_DESIGN.beta}; the first"
        f" {PEOPLE_PER_LABEL} people of each label in the test split, by name. The maps are"
        " Grad-CAM of a classifier of images (the paper's six convolutions, trained on"
        f" original images of other people): they show the evidence for the {attribute} that it predicts from the"
        " original, with its probability before and after; each map has its own scale."
    )


def _classifier(study: StudyDirectory, train: FaceDataset, device: str) -> ImageClassifier:
    path: Path = study.path / IMAGE_CLASSIFIER
    if not path.is_file():
        classifier = fit_image_classifier(train, study.spec.attributes[0], study.spec.seed, device)
        save_image_classifier(classifier, path)
    return load_image_classifier(path, study.spec.image_side, device)


def _reconstructions(anonymizer: Anonymizer, images: np.ndarray | InputRows) -> Tensor:
    """Return the decoder's images `[n, 1, side, side]` of the released representations, with the noise of judging."""
    device = anonymizer.channel.low.device
    noise = stream(anonymizer.config.seed, "release", "test", device=device)
    parts = anonymizer.release(images, noise).split(ENCODED_IMAGES)
    return torch.cat([anonymizer.reconstruct(part) for part in parts])


def _first_people(faces: FaceDataset, attribute: str) -> np.ndarray:
    """Return the rows of the first images of the first people with label 1, followed by those with label 0."""
    _, first_rows = np.unique(faces.identity, return_index=True)
    labels = faces.attribute(attribute)[first_rows]
    return np.concatenate([first_rows[labels == label][:PEOPLE_PER_LABEL] for label in (1, 0)])


def _pixels(images: Tensor, row: int) -> np.ndarray:
    return images[row, 0].double().cpu().numpy()


def _auc(probability: np.ndarray, label: np.ndarray, identity: np.ndarray) -> Estimate:
    positive = label == 1
    samples = folded_auc_bootstrap_samples(probability, positive, identity_weights(identity))
    return Estimate(folded(auc(probability, positive)), *interval(samples))
