"""The samplers by name: what may propose a study's designs."""

from typing import Literal, get_args

GuidedSampler = Literal["tpe", "nsga2", "nsga3", "gp"]
UnguidedSampler = Literal["qmc", "random", "grid"]
Sampler = Literal["tpe", "nsga2", "nsga3", "gp", "qmc", "random", "grid"]
GUIDED: tuple[GuidedSampler, ...] = get_args(GuidedSampler)  # learn from results, and so from constraints
UNGUIDED: tuple[UnguidedSampler, ...] = get_args(UnguidedSampler)  # draw designs whatever the results are
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
