"""Trains the peer: the paper transcribed directly into PyTorch, as a good engineer writes it in a day.

It uses float32, PyTorch's default layout and scikit-learn attackers. Each trial decodes every image and
trains every stage, with one forward and one backward pass for each of the three updates. Training and judging
use nothing of this project. `step.py` compares its steps with ours; `against_plain.py` runs it under Ray Tune
and compares whole studies.

    python benchmarks/plain.py              # one trial on drawn faces
    python benchmarks/plain.py FOLDER       # on a labels.csv (image,identity,gender) and its images

On the RESULT line `attacker_auc` is the folded AUC of the strongest fresh attacker, `matching_auc` the
matcher's AUC, both on people that neither was trained on, and `seconds` the time of the trial from reading
the files on.
"""

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Settings:
    """What a trial is told: the paper's sections 4 and 5.2 where they say."""

    alpha: float = 0.5
    beta: float = 0.5
    margin: float = 1.0
    learning_rate: float = 1e-3
    batch_images: int = 64
    image_side: int = 64
    encoder: tuple[int, int] = (8, 12)
    decoder: tuple[int, int] = (256, 128)
    autoencoder_epochs: int = 6
    heads_epochs: int = 3
    joint_epochs: int = 20
    seed: int = 0


@dataclass(frozen=True)
class Faces:
    """Images `[n, 1, side, side]` in [0, 1], the person and the gender (1, 0) of each `[n]`."""

    images: Tensor
    identity: np.ndarray
    gender: Tensor

    def at(self, rows: np.ndarray) -> "Faces":
        """The faces of some rows."""
        return Faces(self.images[rows], self.identity[rows], self.gender[rows])


def read_faces(folder: Path, side: int) -> Faces:
    """Decodes, crops, greys and resizes the images that `labels.csv` lists."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    images = []
    for row in rows:
        with Image.open(folder / row["image"]) as image:
            square = ImageOps.fit(image.convert("L"), (side, side), Image.Resampling.BILINEAR)
            images.append(torch.from_numpy(np.asarray(square).copy()))
    identity = np.unique([row["identity"] for row in rows], return_inverse=True)[1]
    gender = [float(row["gender"] in ("male", "m", "1")) for row in rows]
    return Faces(torch.stack(images)[:, None].float() / 255, identity, torch.tensor(gender))


class AutoEncoder(nn.Module):
    """Eq. 1 to 4."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        (first, second), (wide, narrow) = settings.encoder, settings.decoder
        self.encoder = nn.Sequential(
            nn.Conv2d(1, first, 3, padding=1), nn.LeakyReLU(), nn.AvgPool2d(2),
            nn.Conv2d(first, second, 3, padding=1), nn.LeakyReLU(), nn.AvgPool2d(2), nn.Sigmoid(),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(second, wide, 3, padding=1), nn.LeakyReLU(), nn.Upsample(scale_factor=2),
            nn.Conv2d(wide, narrow, 3, padding=1), nn.LeakyReLU(), nn.Upsample(scale_factor=2),
            nn.Conv2d(narrow, 1, 3, padding=1), nn.Sigmoid(),
        )  # fmt: skip


class Adversary(nn.Sequential):
    """Section 5.2: six convolutions and a linear layer, softmax over two classes in the loss."""

    def __init__(self, channels: int, side: int) -> None:
        layers: list[nn.Module] = []
        for depth, width in enumerate((32, 64, 64, 128, 128, 256), start=1):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU()]
            if depth % 2 == 0 and side >= 4:
                layers.append(nn.AvgPool2d(2))
                side //= 2
            channels = width
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 2))


class Matcher(nn.Sequential):
    """One branch of section 5.2's Siamese network."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__(
            nn.Conv2d(channels, 4, 3, padding=1), nn.LeakyReLU(),
            nn.Conv2d(4, 8, 3, padding=1), nn.LeakyReLU(),
            nn.Conv2d(8, 8, 3, padding=1), nn.LeakyReLU(), nn.Flatten(),
            nn.Linear(8 * side * side, 500), nn.LeakyReLU(), nn.Linear(500, 500), nn.LeakyReLU(),
            nn.Linear(500, 128),
        )  # fmt: skip


class PlainTrainer:
    """The networks, their optimisers and the three kinds of step."""

    def __init__(self, settings: Settings, device: str = "cpu") -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        side = settings.image_side // 4
        self.autoencoder = AutoEncoder(settings).to(device)
        self.adversary = Adversary(settings.encoder[1], side).to(device)
        self.matcher = Matcher(settings.encoder[1], side).to(device)
        self.restart_autoencoder_optimiser()
        self.adversary_optimiser = torch.optim.Adam(self.adversary.parameters(), settings.learning_rate)
        self.matcher_optimiser = torch.optim.Adam(self.matcher.parameters(), settings.learning_rate)

    def restart_autoencoder_optimiser(self) -> None:
        """Stage 2 starts with fresh moments."""
        parameters = self.autoencoder.parameters()
        self.autoencoder_optimiser = torch.optim.Adam(parameters, self.settings.learning_rate)

    def autoencoder_step(self, images: Tensor) -> Tensor:
        """Stage 1: Eq. 5 alone."""
        loss = F.binary_cross_entropy(self.autoencoder.decoder(self.autoencoder.encoder(images)), images)
        self.autoencoder_optimiser.zero_grad()
        loss.backward()
        self.autoencoder_optimiser.step()
        return loss.detach()

    def heads_step(self, images: Tensor, gender: Tensor, different: Tensor) -> tuple[Tensor, Tensor]:
        """Stage 1: matcher and adversary on the representations of the frozen encoder."""
        with torch.no_grad():
            g = self.autoencoder.encoder(images)
        matcher, adversary = self._head_gradients(g, gender, different)
        self.matcher_optimiser.step()
        self.adversary_optimiser.step()
        return matcher, adversary

    def joint_step(self, images: Tensor, gender: Tensor, different: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Stage 2: Eq. 8 for the auto-encoder while matcher and adversary learn, all at the same parameters."""
        g = self.autoencoder.encoder(images)
        reconstruction = F.binary_cross_entropy(self.autoencoder.decoder(g), images)
        total = reconstruction + self.settings.alpha * self.siamese_loss(g, different)
        total = total - self.settings.beta * self.adversary_loss(g, gender)
        self.autoencoder_optimiser.zero_grad()
        total.backward()  # what it leaves in matcher and adversary is dropped: about 2 % of the arithmetic
        matcher, adversary = self._head_gradients(g.detach(), gender, different)
        self.autoencoder_optimiser.step()
        self.matcher_optimiser.step()
        self.adversary_optimiser.step()
        return reconstruction.detach(), matcher, adversary

    def siamese_loss(self, g: Tensor, different: Tensor) -> Tensor:
        """Eq. 7: the first half of the batch holds the anchors, the second their partners."""
        left, right = g.chunk(2)
        squared = (self.matcher(left) - self.matcher(right)).square().sum(1)
        distance = squared.clamp_min(1e-12).sqrt()
        apart = (self.settings.margin - distance).clamp_min(0).square()
        return torch.where(different, apart, squared).mean() / 2

    def adversary_loss(self, g: Tensor, gender: Tensor) -> Tensor:
        """Cross-entropy of the gender classifier."""
        return F.cross_entropy(self.adversary(g), gender.long())

    def _head_gradients(self, g: Tensor, gender: Tensor, different: Tensor) -> tuple[Tensor, Tensor]:
        matcher, adversary = self.siamese_loss(g, different), self.adversary_loss(g, gender)
        self.matcher_optimiser.zero_grad()
        matcher.backward()
        self.adversary_optimiser.zero_grad()
        adversary.backward()
        return matcher.detach(), adversary.detach()


def draw_pairs(
    identity: np.ndarray, batch_images: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One batch of rows, anchors then partners, and which pairs show two people."""
    anchors = rng.choice(len(identity), batch_images // 2)
    different = rng.random(len(anchors)) < 0.5
    partners = np.empty_like(anchors)
    for pair, anchor in enumerate(anchors):
        same = np.flatnonzero(identity == identity[anchor])
        same = same[same != anchor]
        different[pair] |= len(same) == 0
        partners[pair] = rng.choice(np.flatnonzero(identity != identity[anchor]) if different[pair] else same)
    return np.concatenate([anchors, partners]), different


def train(
    faces: Faces, settings: Settings, after_epoch: Callable[[int, PlainTrainer], None] = lambda *_: None
) -> PlainTrainer:
    """All stages of section 4.3, on the device of the images; `after_epoch` sees the trainer after each joint epoch."""
    device = str(faces.images.device)
    trainer, rng = PlainTrainer(settings, device), np.random.default_rng(settings.seed)
    steps = max(len(faces.images) // settings.batch_images, 1)
    for _ in range(settings.autoencoder_epochs):
        for rows in rng.permutation(len(faces.images))[: steps * settings.batch_images].reshape(steps, -1):
            trainer.autoencoder_step(faces.images[rows])
    for epoch in range(settings.heads_epochs + settings.joint_epochs):
        if epoch == settings.heads_epochs:
            trainer.restart_autoencoder_optimiser()
        step = trainer.heads_step if epoch < settings.heads_epochs else trainer.joint_step
        for _ in range(steps):
            rows, different = draw_pairs(faces.identity, settings.batch_images, rng)
            step(faces.images[rows], faces.gender[rows], torch.from_numpy(different).to(device))
        if epoch >= settings.heads_epochs:
            after_epoch(epoch - settings.heads_epochs + 1, trainer)
    return trainer


def judge(trainer: PlainTrainer, attack: Faces, judged: Faces) -> dict[str, float]:
    """The strongest fresh attacker's folded ROC AUC and the matcher's, on people that neither saw."""
    with torch.no_grad():
        own = trainer.autoencoder.encoder(attack.images)
        others = trainer.autoencoder.encoder(judged.images)
        embedded = trainer.matcher(others)
    attackers = [
        LogisticRegression(C=0.01, class_weight="balanced", max_iter=500),
        SVC(C=3.0, class_weight="balanced"),
        MLPClassifier((64,), alpha=10.0, max_iter=30, random_state=0),
    ]
    aucs = []
    for attacker in attackers:
        pipeline = make_pipeline(StandardScaler(), attacker).fit(own.flatten(1), attack.gender)
        scorer = getattr(pipeline, "decision_function", None) or (
            lambda g, p=pipeline: p.predict_proba(g)[:, 1]
        )
        auc = roc_auc_score(judged.gender, scorer(others.flatten(1)))
        aucs.append(max(auc, 1 - auc))
    rows, different = draw_pairs(judged.identity, 4000, np.random.default_rng(0))
    left, right = embedded[rows].chunk(2)
    distance = (left - right).square().sum(1).sqrt()
    return {"attacker_auc": max(aucs), "matching_auc": float(roc_auc_score(different, distance))}


def split(faces: Faces, seed: int = 0) -> tuple[Faces, Faces, Faces]:
    """People for training (50 %), for the attackers (20 %) and to judge on (30 %)."""
    rows = np.arange(len(faces.images))
    train_rows, rest = next(
        GroupShuffleSplit(1, train_size=0.5, random_state=seed).split(rows, None, faces.identity)
    )
    inner = GroupShuffleSplit(1, train_size=0.4, random_state=seed).split(rest, None, faces.identity[rest])
    attack, judged = next(inner)
    return faces.at(train_rows), faces.at(rest[attack]), faces.at(rest[judged])


def run(folder: Path, settings: Settings) -> dict[str, float]:
    """One trial from files to figures."""
    started = time.perf_counter()
    train_faces, attack, judged = split(read_faces(folder, settings.image_side))
    trainer = train(train_faces, settings)
    figures = judge(trainer, attack, judged)
    return {**figures, "seconds": time.perf_counter() - started}


def main() -> None:
    """Command line."""
    from shared.drawn_folder import drawn_folder

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", help="default: drawn faces, written as PNG files first"
    )
    parser.add_argument("--image-side", type=int, default=32)
    given = parser.parse_args()
    torch.set_num_threads(2)
    settings = Settings(image_side=given.image_side)
    print(asdict(settings))
    with tempfile.TemporaryDirectory() as drawn:
        folder = given.folder or drawn_folder(Path(drawn))
        if not (folder / "labels.csv").is_file():
            parser.error(f"{folder} has no labels.csv: give a folder with one (image,identity,gender)")
        figures = run(folder, settings)
    print("RESULT " + " ".join(f"{name}={value:.4g}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
