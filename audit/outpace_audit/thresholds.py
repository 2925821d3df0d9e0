"""Every threshold of the audit with its reason. docs/audit.md derives the measured ones from benchmarks/results/."""

from __future__ import annotations

LOOKS = {"cpu": ((5, 0.25), (7, 0.75)), "cuda": ((5, 1.0),)}
"""After so many fresh process pairs a confirmation may end, for this share of ALPHA: by the last enough that a gain of
5% clears MIN_GAIN at the usual spread of a pair, and sooner for what is plain sooner."""

SPACING_S = {"cpu": 4.0, "cuda": 0.0}
"""Least seconds from the start of one pair to that of the next: what a shared CPU does for a few seconds should meet
some pairs of a verdict and not all."""

ALPHA = 0.01
"""One-sided error rate of one confirmation, before the division by the confirmations already spent on the target."""

MIN_GAIN = {"cpu": 0.02, "cuda": 0.015}
"""The lower bound of the speedup must exceed 1 + this: identical code must not pass by a shift that all pairs share,
which the interval cannot see. Derived from A/A trials: docs/audit.md, "Thresholds"."""

SCREEN = {"cpu": 0.97, "cuda": 0.97}
"""A candidate whose single screening pair is below this is dropped. How seldom a true gain of 5% shows as less than
this: docs/audit.md, "Thresholds"."""

WORST_WORKLOAD = 0.98
"""No workload's speedup may fall below this, whatever the mean says."""

AS_CALLED_WORST = 0.95
"""On CUDA the graph-amortised time decides; called one by one, the candidate may not be slower than this."""

ERROR_BUDGET = 4.0
"""k of the tolerant class: the candidate's error against truth over the baseline's own; see compare.within_budget."""

CONDITION = 16.0
"""An ill-conditioned result (the gradient of a key bias under softmax: rows that cancel) moves by more than roundings
when its inputs, and each operation's result, move by one. A candidate may be off by this many times that movement, in
fp32 and wider only."""

CLOCK_AGREEMENT = 0.1
"""Largest difference, as a log-ratio, between the candidate's claimed and outside time, after the baseline's own
difference is taken off: ten times the largest that identical code showed."""

WINDOW_S = {"cpu": 0.03, "cuda": 0.05}
"""Length of one timed window: the messages around it cost about 0.1 ms, and on a GPU its start and end vary by 0.3 ms:
of 20 ms that was more than what identical code differs by from process to process, of 50 ms it is less."""

HOPELESS_PAIRS = {"cpu": 3, "cuda": 2}
"""A candidate that stays below 1 + MIN_GAIN in each of its first pairs is given up: of those that the last look would
accept, whose mean lies two spreads of a pair above that, one in two thousand starts so on a GPU, fewer on a CPU."""

ROUNDS = {"cpu": 8, "cuda": 8}
SCREEN_ROUNDS = {"cpu": 8, "cuda": 4}
LEAST_ROUNDS = 4
"""Interleaved windows of each side in one process pair, shared among its workloads but at least so many of each. On a
CPU the spread is between pairs: docs/audit.md."""

PAIR_S = 4.0
"""Slow targets take fewer rounds, but at least three, so that a pair stays near this many seconds."""

FOREIGN_SHARE = 0.06
"""Of the processors. What a CPU did while others used more than this is not trusted: a pair is dropped, ceilings are
not kept, a reader is told."""

SETTLE_S = 0.02
"""How long the judge waits before it reads outputs again: work handed to a thread or stream shows by then."""

SCOUT_S = 15.0
"""For trying on the baseline, once a target, what it runs beyond its declared inputs. Some sixty calls: only targets
of a quarter of a second and more are tried less thoroughly, and the report says so."""

SCOUT_DEATHS = 3
"""After so many deaths of the baseline nothing more is tried: a start costs up to a second."""

EXTRA_SHAPES = 7
"""Other shapes in one audit, secretly chosen. A compiled candidate compiles again for a new shape (1.5 s on two cores,
and past eight torch.compile falls back silently), so all of them would cost more than the rest of L0 to L3."""

REPLACED_SHAPES = 2
"""Shapes of one symbol in place of one of all that the candidate refused, and which therefore says little."""

WIDE_ELEMENTS = 1 << 16
"""What 16 bits count; also where CUDA's grids end, but for their first dimension."""

WIDE_GROWTH, WIDE_S = 64, 0.25
"""How much larger than declared a size may be for that, and how long the baseline may take there."""

LARGER = 8.0
"""How much larger than declared a size of that kind may be where the baseline is fast enough for it (twice where not):
the size at which a table ends or a loop is cut short is often the next power of two but one."""

LARGER_S = 1.0
"""How long the baseline may take there, by a guess that is mostly several times too long: most code's cost grows as the
size does, not as its square. At a quarter of it, what was right for 384 to 2,048 rows passed on a busy machine."""

LARGER_SHAPES = 2
"""Of as many symbols: in most targets two dimensions are free."""

LEAST_SHAPES = 2
"""As small as may be, of as many symbols: height and width together, and one of them alone, say different things."""

MOST_ELEMENTS = 1 << 26
"""Of all arguments together, where all sizes grow at once."""

JOINT_TRIES = 3
"""Draws of a shape in which all sizes are others: a baseline may bear each alone and not both."""

DEGENERATE_SHAPES = 1
"""Shapes with a size of one or none, on top: they show other faults and may hide those that EXTRA_SHAPES are for."""

ALWAYS_LAWS = (
    *("large", "tiny", "offset", "spike", "uneven", "hushed", "grown", "aligned", "zeros", "repeated", "absent", "far"),
    *("wrapped", "nan", "steep", "halves", "huge", "few", "full", "opposed"),
)
"""Tried in every audit: a softmax without its maximum, an eps in the wrong place or left out, a variance as a
difference of squares, sums as a difference of running ones, what one row is measured by taken from the whole
batch or its first row, a limit of a parameter that is left out, scores at their bound, counters that overflow where all
indices are the same, counts of nothing, tokens taken for padding, integers in floats, data at the ends of its type,
indices from the end, NaN that is swallowed or hides most of itself, gradients that are clamped,
halves that are rounded the other way, and squares of what is huge and finite are the known shortcuts."""

SECRET_LAWS = 2
"""Further value laws in one audit: a cheat has to survive each with even odds or so, and every call costs three."""

NUDGES, REARRANGED, RENEWED = 4, 4, 4
"""Calls with one element changed, with the elements of one tensor in another order, and with half of one drawn anew: a
fingerprint of one element in three survives one in three of the former, and all four once in a hundred audits."""

REORDERED = 2
"""Calls with the rows of one input in another order: what is remembered by counts (as many tokens for each expert)
stays, and an order that is remembered with them is another one."""

WORN = (1000, 0.3)
"""Calls that a candidate has behind it when fingerprints are looked for, or as many as fit so many seconds: stores fill
up, and what counts its calls, or waits for some time, has stopped to be careful."""

CHANGED_ARGUMENTS = 16
"""Tensors changed one by one in one audit, and as many other arguments, secretly chosen where there are more: four
inputs of floats may change in four or five ways each."""

REPEATED_RUNS = 3
"""Runs of the candidate on the same inputs: a race that shows in every second run shows in three of four audits."""

RUSHED_CALLS = 2
"""Calls on other values right before one, with nothing in between, as a loop makes them: what holds for calls in quick
succession shows. The first may be slow."""

STEPS, STEPS_S = 24, 0.5
"""Calls whose state one more call finds, and what they may take by the baseline's pace (two at least): what is left out
once something has settled (a power iteration took 12 to 18 steps), or is done in every other call, shows."""

REDRAWN = 4
"""Further draws for a result at a discontinuity: an honest side that meets one in every third call fails in one audit
of a hundred such results, a lower precision meets it in all of them."""

HELD_CALLS = 32
"""Calls in a row whose results are all held: a ring of buffers as long as that would keep more memory than it saves
time."""

HELD_S, HELD_BYTES = 1.0, 1 << 30
"""What those calls may take, by the baseline's pace and the size of its outputs: slow or large targets make fewer."""

DROPPED_RUNS, DROPPED_S = (16, 96), 2.0
"""Runs of each side with dropout, the more the cheaper a call is: with 16 a two-sided t test at DROP_ALPHA needs a
difference of two standard deviations, with 96 of two thirds, and the statistics of a few thousand elements vary by
percents."""

DROP_ALPHA = 1e-5
"""False alarms of one comparison of dropout statistics. There are three for each output: no honest candidate should
meet one in ten thousand audits."""

CALL_TIMEOUT_S = 120.0
COMPILE_TIMEOUT_S = 300.0
LOAD_TIMEOUT_S = 120.0
"""The first call may compile; loading imports the user's file; other calls are bounded by CALL_TIMEOUT_S."""

BUILD_TIMEOUT_S = 600.0
"""Loading a file that builds C++ or CUDA: torch's headers alone keep g++ busy for 25 s, nvcc for 35 s, and two cores
that others use too made 190 s of that."""

QUICK_WINDOW_S = {"cpu": WINDOW_S["cpu"], "cuda": 0.005}
QUICK_ROUNDS = {"cpu": 4, "cuda": 3}
"""Of a first look at one of many variants (quick.py), which is no verdict: large differences are what it is for."""

QUICK_AT_ONCE = {"cpu": 4, "cuda": 8}
"""Variants that start side by side: a start costs more than the timing, and each holds a CUDA context of half a GB."""

QUICK_TIMEOUT_S = 60.0
"""For a variant to load, compile and make its first call: a Triton kernel takes one second, a few unrolled ones ten."""

QUICK_VALUES = 0.05
"""Relative distance in the norm from the baseline's values: what leaves rows out, not what rounds otherwise."""
