"""An arm in a fresh interpreter: slower to start than a fork, and what a doubtful fork falls back to.

The sandbox is entered before torch is imported, since that may start threads, and a threaded process can't.
"""

from __future__ import annotations

import json
import sys

from outpace_audit.zygote import forget_working_directory, run_arm

if __name__ == "__main__":
    forget_working_directory()
    run_arm(json.loads(sys.argv[1]), [int(number) for number in sys.argv[2:]])
