"""The certificate of a released encoder whose channel has a small finite alphabet."""

from collections.abc import Mapping

import numpy as np

from aia_models.judging.released import ReleasedFaces
from aia_models.measures.certificate import Certificate, certify

# The encoder and its channel were fitted on the people of `train`, so that the others are independent draws.
COUNTED_SPLITS = ("attack", "validation", "test")
CERTIFICATE_SEED = 0  # of the image that counts for each person: the same for all encoders of the same faces


def certify_released(released: Mapping[str, ReleasedFaces]) -> Certificate | None:
    """Return the certificate of the private attribute with the highest bound, or None without a small alphabet.

    For each attribute the bound fails with at most 5 %, and so does the highest of them: it is above the highest of all
    attackers' AUCs wherever the bound of that attacker's attribute holds.
    """
    counted = [released[split] for split in COUNTED_SPLITS]
    words = [faces.words for faces in counted if faces.words is not None]
    if len(words) < len(counted):
        return None
    identity, offset = [], 0
    for faces in counted:
        identity.append(faces.identity + offset)
        offset += int(faces.identity.max()) + 1
    certificates = []
    for attribute in released["attack"].attributes:
        values = np.concatenate([faces.attributes[attribute] for faces in counted])
        certificates.append(
            certify(
                np.concatenate([own.codes for own in words]),
                np.concatenate(identity).astype(np.int32),
                values,
                words[0].alphabet,
                CERTIFICATE_SEED,
            )
        )
    return max(certificates, key=lambda certificate: certificate.bound)
