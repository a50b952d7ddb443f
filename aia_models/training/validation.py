"""ROC AUCs of the in-loop adversary and matcher on the validation identities during training."""

import torch

from aia_models.config import ChannelConfig, TrainingConfig
from aia_models.measures.metrics import auc, folded
from aia_models.measures.pairs import Pairs
from aia_models.networks.encoder import ENCODED_IMAGES
from aia_models.networks.networks import Networks
from aia_models.networks.standardise import TOGETHER_IMAGES
from aia_models.random_streams import stream
from aia_models.release.channel import training_channel
from aia_models.training.device_faces import DeviceFaces


@torch.no_grad()
def in_loop_figures(
    networks: Networks,
    config: TrainingConfig,
    faces: DeviceFaces,
    pairs: Pairs,
    with_channel: bool,
) -> tuple[float, float]:
    """Return the adversary's folded ROC AUC on `faces` and the matcher's ROC AUC on `pairs`.

    The adversary's score is the mean of its members' log-odds; of several private attributes the largest AUC counts.
    With `with_channel` representations pass the channel of training, with the same noise at every call.
    """
    networks.eval()
    channel = config.channel if with_channel else ChannelConfig()
    noise = stream(config.seed, "channel", "validation", device=faces.inputs.device)
    log_odds, embeddings = [], []
    rows = torch.arange(len(faces), device=faces.inputs.device)
    for together in rows.chunk(-(-len(faces) // TOGETHER_IMAGES)):  # all about equally large
        parts = together.split(ENCODED_IMAGES)
        g = torch.cat([networks.encoder(faces.inputs_at(part, "contiguous")) for part in parts])
        released = training_channel(g, channel, noise)
        log_odds.append(torch.stack([one(released).mean(1) for one in networks.adversaries], dim=1))
        embeddings.append(networks.matcher(released))
    networks.train()
    attributes = faces.attributes.cpu().numpy().T
    scores = torch.cat(log_odds).double().cpu().numpy().T
    known = [attribute >= 0 for attribute in attributes]
    adversary_auc = max(
        folded(auc(score[rows], attribute[rows] == 1))
        for score, attribute, rows in zip(scores, attributes, known, strict=True)
    )
    embedded = torch.cat(embeddings).double().cpu()
    distance = (embedded[pairs.left] - embedded[pairs.right]).square().sum(1).sqrt()
    return adversary_auc, auc(-distance.numpy(), ~pairs.different)
