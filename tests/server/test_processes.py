"""What still runs below us is killed, whatever arrives meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

TWICE = """
import os, signal, subprocess, sys
from outpace_server import processes
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
send = processes._send
def send_and_be_told_again(pid, number):
    send(pid, number)
    if number == signal.SIGSTOP:
        os.kill(os.getpid(), signal.SIGTERM)
processes._send = send_and_be_told_again
processes.kill_descendants()
print("not reached: the signal that waited ends this", flush=True)
"""


def test_a_second_signal_leaves_nothing_stopped() -> None:
    ran = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == -15, ran.stderr
    (line,) = ran.stdout.splitlines()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{line}").exists():  # until init has taken it away
        assert time.monotonic() < deadline, Path(f"/proc/{line}/status").read_text()
        time.sleep(0.05)
