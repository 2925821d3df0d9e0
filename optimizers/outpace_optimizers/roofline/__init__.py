"""How far a target is from the machine's limit: asks the judge to measure, works out the limits, keeps both."""
