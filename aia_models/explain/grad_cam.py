"""Grad-CAM of the image classifier: maps of the image regions that support a label (Selvaraju et al. 2017)."""

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from jaxtyping import Bool, Float
from torch import Tensor

from aia_models.explain.image_classifier import ImageClassifier


def grad_cam(
    classifier: ImageClassifier,
    images: Float[Tensor, "n 1 side side"],
    positive: Bool[np.ndarray, " n"],
) -> Float[np.ndarray, "n side side"]:
    """Return one map per image of the regions that support the label 1 where `positive`, or else the label 0.

    Captum weights the channels of the last convolution's output by their mean gradient, sums them and sets negative
    values to 0; the maps are then resized bilinearly. The unit is log-odds, up to one factor per classifier.
    """
    sign = torch.where(torch.from_numpy(positive), 1.0, -1.0).to(images.device)

    def log_odds_of_label(batch: Float[Tensor, "n 1 side side"]) -> Float[Tensor, " n"]:
        return classifier(batch).squeeze(1) * sign

    explained = LayerGradCam(log_odds_of_label, classifier.network.convolutions[-1])
    small = explained.attribute(images, relu_attributions=True)
    assert isinstance(small, Tensor)
    sized = LayerAttribution.interpolate(small, tuple(images.shape[2:]), "bilinear")
    return sized.detach().squeeze(1).double().cpu().numpy()
