"""Fresh attackers: each learns an attribute from released representations and scores representations of other people.

Other rooms use `ATTACKERS`, all of them by name, `STRONGEST`, those that read most in most designs, at less cost, and
`examples.Examples`. An attacker is a function of the examples and a seed; it returns one reading for each vantage.
"""

from collections.abc import Callable, Mapping
from functools import partial

from aia_models.judging.attackers.boosted_trees import boosted_trees
from aia_models.judging.attackers.examples import Examples, Reading
from aia_models.judging.attackers.kernel_machine import kernel_machine
from aia_models.judging.attackers.templates import templates

FEWER_LANDMARKS = 750

Attacker = Callable[[Examples, int], dict[str, Reading]]

ATTACKERS: Mapping[str, Attacker] = {
    "kernel_machine": kernel_machine,
    "templates": templates,
    "boosted_trees": boosted_trees,
}
STRONGEST: Mapping[str, Attacker] = {
    "kernel_machine": partial(kernel_machine, landmarks=FEWER_LANDMARKS),
    "templates": templates,
}
