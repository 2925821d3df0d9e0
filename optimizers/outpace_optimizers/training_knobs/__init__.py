"""Numbers of a training script that a search may try otherwise: rates, decay, warm-up, batches.

numbers (where one is written) -> finding (which are knobs) -> search (optuna) <-> single runs
    -> a change for a campaign
"""
