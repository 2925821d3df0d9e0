"""What the rule `rates-to-zero` puts into a script."""

from __future__ import annotations

from string import Template

_CLASS = Template('''\
class $name:
    """`with $name(done, optimizer):` scales the rates of a step, where `done` of the run is over: $shape
    """

$constants
    def __init__(self, done, optimizer):
$inner        self.factor = $factor
        self.groups = optimizer.param_groups

    def __enter__(self):
        self.rates = [group["lr"] for group in self.groups]
        for group in self.groups:
            group["lr"] = group["lr"] * self.factor

    def __exit__(self, *error):
        for group, rate in zip(self.groups, self.rates):
            group["lr"] = rate
''')
_PART = '''
    @classmethod
    def part(cls, before, width):
        """What comes next is so much of the run, and so much was before."""
        cls.before, cls.width = before, width
'''
_WARM_UP = "    WARM_UP = 0.02  # of the run, from a tenth of the rate\n"
_DOWN = "    DECAY = {share}  # of the run\n"


def definition(name: str, scheduled: bool, parts: bool) -> str:
    """For rates that have a schedule of their own, their end alone."""
    if scheduled:
        shape = "at the\n    end of it they fall to zero, from whatever they would be."
        constants, low = _DOWN.format(share=0.3), "1.0"
    else:
        shape = "they\n    rise, are constant, and fall to zero with the last step."
        constants, low = _WARM_UP + _DOWN.format(share=0.5), "1.0, 0.1 + 0.9 * done / self.WARM_UP"
    inner = ""
    if parts:
        constants, inner = (
            f"{constants}    before, width = 0.0, 1.0\n",
            "        done = self.before + self.width * done\n",
        )
    factor = f"min({low}, max(0.0, 1.0 - done) / self.DECAY)"
    text = _CLASS.substitute(name=name, shape=shape, constants=constants, inner=inner, factor=factor)
    return text + _PART if parts else text
