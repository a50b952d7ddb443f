"""Tests run on one thread, because the rounding of golden losses depends on the number of threads."""

import torch

torch.set_num_threads(1)
