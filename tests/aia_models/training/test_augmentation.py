"""Augmentation transforms whole images by its own random stream, and `none` draws no random numbers."""

import torch

from aia_models.training.augmentation import augmented

IMAGES = torch.rand((200, 1, 32, 32), generator=torch.Generator().manual_seed(1))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_none_leaves_images_and_stream_alone() -> None:
    stream = generator()
    assert augmented(IMAGES, "none", stream) is IMAGES
    assert torch.equal(stream.get_state(), generator().get_state())


def test_flip_mirrors_about_half_of_the_images_and_leaves_the_others() -> None:
    found = augmented(IMAGES, "flip", generator())
    mirrored = (found == IMAGES.flip(3)).flatten(1).all(1)
    assert ((found == IMAGES).flatten(1).all(1) | mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_shift_moves_by_whole_pixels_and_repeats_the_edge() -> None:
    column = torch.arange(32.0).expand(32, 32)
    images = (100 * column.T + column).expand(300, 1, 32, 32)
    found = augmented(images, "flip_shift", generator())[:, 0]
    rows, columns = (found // 100)[:, :, 0], (found % 100)[:, 0]
    down = rows[:, 16] - 16
    assert set(down.tolist()) == {-2, -1, 0, 1, 2}
    assert torch.equal(rows, (torch.arange(32.0) + down[:, None]).clamp(0, 31))
    steps = columns.diff(dim=1)
    assert ((steps >= 0).all(1) | (steps <= 0).all(1)).all(), "in order, or mirrored"
    assert 100 < (steps.sum(1) < 0).sum() < 200
    assert {int(row[16]) for row in columns} == {13, 14, 15, 16, 17, 18}, "five shifts, mirrored or not"


def test_same_stream_same_images() -> None:
    for kind in ("flip", "flip_shift"):
        one, again, other = (augmented(IMAGES, kind, generator(seed)) for seed in (0, 0, 1))
        assert torch.equal(one, again)
        assert not torch.equal(one, other)
