"""Attacks that are recorded beside and do not count: more releases, other people, linked images, fewer people."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from aia_models.judging.attack import Attack, AttackKey, ScoredAttack
from aia_models.judging.attack_data import some_people
from aia_models.judging.attackers import ATTACKERS, STRONGEST
from aia_models.judging.attacks import Attacks, run_attackers
from aia_models.judging.beside.decoded import decoded_attacks
from aia_models.judging.beside.gallery import gallery_attacks
from aia_models.judging.beside.linked import linked_attacks
from aia_models.judging.matcher import Embed
from aia_models.judging.released import ReleasedFaces
from aia_models.random_streams import stream_seed

CURVE_ATTACKER = {"templates": ATTACKERS["templates"]}
CURVE_SHARES = (0.25, 0.5)  # of the people that attackers learn from, for the learning curve


def further_attacks(
    released: Mapping[str, ReleasedFaces], attacks: Attacks, discriminant: Embed, seed: int, device: str
) -> Iterator[Attack]:
    """Yield all attacks beside `attacks` but the learning curve.

    The strongest attackers read means of ten releases (where the channel is random), learn from another data set's
    people (where `released` has "other") and read images that they restore; linked releases and a gallery of the judged
    people, embedded by the matcher `discriminant`, come last.
    """
    for attribute in released["attack"].attributes:
        means = _means_of_ten(released)
        if means:
            for scored in run_attackers(STRONGEST, means, attribute, ("both",), "mean_of_ten", seed, device):
                yield scored.attack
        if "other" in released:
            for scored in run_attackers(
                STRONGEST, released, attribute, ("other",), "single_release", seed, device
            ):
                yield scored.attack
    yield from decoded_attacks(released, seed, device)
    yield from linked_attacks(released, attacks, seed, device)
    yield from gallery_attacks(released, discriminant, seed)


def learning_curve(
    released: Mapping[str, ReleasedFaces], attribute: str, attacks: Attacks, seed: int, device: str
) -> tuple[list[Attack], bool]:
    """Return the attacks of `templates` that learn from a quarter and half of all people, and whether they improve.

    They improve if the attack on validation gains, from half of the people to all, more than one standard error over
    identities.
    """
    curve: list[ScoredAttack] = []
    for share in CURVE_SHARES:
        fewer = _some(released, attribute, share, seed)
        curve += run_attackers(CURVE_ATTACKER, fewer, attribute, ("both",), "single_release", seed, device)
    whole = next(
        a for a in attacks.counted if a.key == AttackKey("validation", attribute, "both", "templates")
    )
    half = next(scored for scored in reversed(curve) if scored.attack.key == whole.key)
    error = float(np.nanstd(attacks.bootstrap_samples[whole.key] - half.samples))
    return [scored.attack for scored in curve], whole.folded_auc - half.attack.folded_auc > error


def _means_of_ten(released: Mapping[str, ReleasedFaces]) -> dict[str, ReleasedFaces]:
    """Return the same people with the means of ten releases; nothing where the channel is not random."""
    means = {}
    for split, faces in released.items():
        if faces.mean_of_10 is not None:
            means[split] = replace(faces, releases=faces.mean_of_10[None])
    return means


def _some(
    released: Mapping[str, ReleasedFaces], attribute: str, share: float, seed: int
) -> dict[str, ReleasedFaces]:
    """Return the same releases with a share of the people that attackers learn from."""
    fewer = dict(released)
    for split in ("attack", "train"):
        faces = released[split]
        people = some_people(
            faces.identity, faces.attributes[attribute], share, stream_seed(seed, "curve", split)
        )
        kept = np.isin(faces.identity, people)
        fewer[split] = ReleasedFaces(
            faces.releases[:, kept],
            faces.identity[kept],
            {name: values[kept] for name, values in faces.attributes.items()},
        )
    return fewer
