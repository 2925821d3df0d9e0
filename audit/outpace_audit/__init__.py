"""The judge: workloads, oracle, arms, timing, checks and verdicts. Imports none of outpace's other packages."""
