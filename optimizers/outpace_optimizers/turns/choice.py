"""Whose turn is next: the proposer with the highest verified gain for its cost, as far as that is known.

For each proposer, over the turns that it had (and a few that it is taken to have had, PRIORS):

    index = optimistic chance of a win  x  ln of what a win multiplies the speedup by  /  share of the budgets

The chance is the upper end of Wilson's score interval, z^2 = ln(1 + turns of this run) / 2: nobody is written off for a
run of bad luck, and before the first turn the priors alone decide. This is UCB for arms that cost something (Ding et
al., "Multi-armed bandit with budget constraint and variable costs", AAAI 2013) with an interval that suits few trials
(Wilson, "Probable inference", JASA 1927). Two budgets, so the cost is the share that a turn takes of each, added up:
what is scarce is dear. No dice: the same turns give the same choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from outpace_optimizers.records import Turn

PRIOR_TURNS = 3.0
"""So many turns a prior counts for: one lucky win or two failures do not turn everything around."""
OTHERS_TURNS = 8.0
"""For so many at most what other targets have shown, however many turns that was: this one may be unlike them."""
WIN = 1.15
"""What a win is taken to bring before one was seen."""
LEAST_SHARE = 1e-6
"""Of the budgets: what takes no time can still be compared."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Of a proposer that has had no turn: how many in ten of its turns win, and what one takes."""

    wins_in_ten: float
    seconds: float
    dollars: float = 0.0


PRIORS = {
    "carried": Prior(6, 30.0),
    "rules": Prior(4, 30.0),
    "combining": Prior(4, 40.0),
    "tuner": Prior(4, 90.0),
    "compiling": Prior(4, 120.0),
    "model": Prior(2, 60.0, 0.02),
}
"""What won on a like target first, then known moves, what is sure to compile last. A model's share is that of a public
log of 124 ideas on one script, of which 22 were kept; its price that of 20,000 tokens."""


@dataclass(frozen=True, slots=True)
class Seen:
    """`own`: it was a turn of this run."""

    turn: Turn
    own: bool


@dataclass(frozen=True, slots=True)
class Budgets:
    """Of the run. What is infinite is not scarce."""

    seconds: float
    tokens: float = math.inf
    dollars: float = math.inf

    def share(self, seconds: float, tokens: float, dollars: float) -> float:
        """Money is counted in dollars or, where no price is known, in tokens: the scarcer of the two."""
        money = max(tokens / self.tokens, dollars / self.dollars)
        return max(seconds / max(self.seconds, 1.0) + money, LEAST_SHARE)


def choose(ready: Sequence[str], seen: Sequence[Seen], budgets: Budgets) -> str:
    """Of those that are `ready`; of equals the first."""
    turns = sum(one.own for one in seen)
    return max(ready, key=lambda name: index(name, [one for one in seen if one.turn.proposer == name], turns, budgets))


def index(name: str, seen: Sequence[Seen], turns: int, budgets: Budgets) -> float:
    """`seen`: of this proposer; `turns`: how many this run has had, of all."""
    prior = PRIORS[name]
    elsewhere = sum(not one.own for one in seen)
    weight = min(1.0, OTHERS_TURNS / elsewhere) if elsewhere else 1.0
    count = wins = gain = seconds = tokens = dollars = 0.0
    for one in seen:
        of = 1.0 if one.own else weight
        count += of
        wins += of * (one.turn.factor > 1.0)
        gain += of * math.log(max(one.turn.factor, 1.0))
        seconds += of * (one.turn.seconds + one.turn.asked.seconds)
        tokens += of * one.turn.asked.tokens
        dollars += of * one.turn.asked.dollars
    believed = PRIOR_TURNS * prior.wins_in_ten / 10
    tried = PRIOR_TURNS + count
    chance = upper((believed + wins) / tried, tried, math.log1p(turns) / 2)
    each = (believed * math.log(WIN) + gain) / (believed + wins)
    share = budgets.share(
        (PRIOR_TURNS * prior.seconds + seconds) / tried, tokens / tried, (PRIOR_TURNS * prior.dollars + dollars) / tried
    )
    return chance * each / share


def upper(share: float, count: float, z2: float) -> float:
    """Of Wilson's score interval for a share of `count` trials; z2 is z squared."""
    spread = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * count)) / count)
    return (share + z2 / (2 * count) + spread) / (1 + z2 / count)
