import sys
from ast import literal_eval

for arg in sys.argv[1:]:
    key, value = arg.removeprefix("--").split("=")
    try:
        value = literal_eval(value)
    except (SyntaxError, ValueError):
        pass
    globals()[key] = value
