"""The ideas: targets, rules and the propose-run-verify loop."""
