"""The tuner: sizes of blocks and chunks in a user's code, searched by measuring, offered as an edit.

knobs (launches, pieces, literals) -> search (optuna) <-> quick looks by the judge -> ideas for the audit
"""
