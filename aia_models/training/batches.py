"""Draws the batches and pairs of an epoch, on the CPU and before the epoch starts."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, Int64


@dataclass(frozen=True)
class PairBatches:
    """Batches of one epoch.

    `images[step]` holds anchors, then their partners; `different[step]` is true for each anchor whose partner shows
    another person (y of Eq. 7).
    """

    images: Int64[np.ndarray, "step batch"]
    different: Bool[np.ndarray, "step pair"]


class PairSampler:
    """Draws partners: for each anchor an image of the same person or of another one.

    `identity` is the identity of each image; an identity with one image is never half of a same-person pair.
    """

    def __init__(self, identity: Int32[np.ndarray, " n"]) -> None:
        self._sorted = np.argsort(identity, kind="stable")
        ordered = identity[self._sorted]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        sizes = np.diff(np.r_[starts, len(identity)])
        group = np.repeat(np.arange(len(starts)), sizes)
        self._rank = np.empty(len(identity), dtype=np.int64)
        self._rank[self._sorted] = np.arange(len(identity))
        self._start = starts[group][self._rank]
        self._size = sizes[group][self._rank]

    @property
    def paired(self) -> Bool[np.ndarray, " n"]:
        """Mask of the images of people with two or more images: only these count in pairs."""
        return self._size > 1

    def same_person(
        self, anchors: Int64[np.ndarray, "*shape"], rng: np.random.Generator
    ) -> Int64[np.ndarray, "*shape"]:
        """Draw another image of each anchor's person; for people with one image return that image."""
        size, start = self._size[anchors], self._start[anchors]
        place = self._rank[anchors] - start
        return self._sorted[start + (place + 1 + rng.integers(0, np.maximum(size - 1, 1))) % size]

    def partners(
        self, anchors: Int64[np.ndarray, "*shape"], rng: np.random.Generator
    ) -> tuple[Int64[np.ndarray, "*shape"], Bool[np.ndarray, "*shape"]]:
        """Draw a partner for each anchor; returns the partners and a mask of those that show another person.

        On average half do. Partners of people with one image always do, but their pairs do not count (`paired`).
        """
        size, start = self._size[anchors], self._start[anchors]
        different = (rng.random(anchors.shape) < 0.5) | (size == 1)
        same = self.same_person(anchors, rng)
        others = np.maximum(len(self._rank) - size, 1)
        other = (start + size + rng.integers(0, others)) % len(self._rank)
        return np.where(different, self._sorted[other], same), different

    def epoch(self, batch_images: int, rng: np.random.Generator) -> PairBatches:
        """Draw one epoch: half of each batch are anchors, drawn without repeats, and half are their partners.

        An epoch has as many images as the data, or one batch where the data has fewer.
        """
        images = len(self._rank)
        steps, half = max(images // batch_images, 1), batch_images // 2
        order = rng.permutation(images)
        anchors = np.resize(order, steps * half).reshape(steps, half)
        partners, different = self.partners(anchors, rng)
        return PairBatches(np.concatenate([anchors, partners], axis=1), different)

    def people_epoch(self, batch_images: int, rng: np.random.Generator) -> PairBatches:
        """Draw one epoch whose batches show two images of each of `batch_images / 2` people, or of all where they are
        fewer.

        Nobody is drawn again before all have been, so that a person counts the same whatever its number of images; a
        batch at the border of two such rounds may show a person twice. People with one image are left out. An epoch has
        about as many images as the data. `different[step]` is true for each anchor that Eq. 7 compares with the next
        anchor's partner instead of its own.
        """
        several = self._sorted[self._size[self._sorted] > 1]  # image indices, person by person
        people = several[
            np.flatnonzero(self._rank[several] == self._start[several])
        ]  # each person's first image
        half = min(batch_images // 2, len(people))
        steps = max(len(self._rank) // (2 * half), 1)
        rounds = [rng.permutation(people) for _ in range(-(-steps * half // len(people)))]
        first = np.concatenate(rounds)[: steps * half].reshape(steps, half)
        anchors = self._sorted[self._start[first] + rng.integers(0, self._size[first])]
        images = np.concatenate([anchors, self.same_person(anchors, rng)], axis=1)
        return PairBatches(images, rng.random(anchors.shape) < 0.5)


def image_batches(
    images: int, batch_images: int, rng: np.random.Generator
) -> Int64[np.ndarray, "step batch"]:
    """Return batches of one epoch over all images in random order, without the last incomplete batch."""
    steps = max(images // batch_images, 1)
    return np.resize(rng.permutation(images), steps * batch_images).reshape(steps, batch_images)
