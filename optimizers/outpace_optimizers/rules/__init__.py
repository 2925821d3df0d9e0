"""Rules: each detects one slow spelling and writes the faster one. The audit, not the rule, says
whether it is right.
"""

from __future__ import annotations

from .registry import GROUP, Ideas, Rule, Rules, Trouble, ideas, load_rules

__all__ = ["GROUP", "Ideas", "Rule", "Rules", "Trouble", "ideas", "load_rules"]
