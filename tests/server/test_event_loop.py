"""A signal ends a command that runs an event loop, whatever the loop was about."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BEFORE_A_STEP = """
import asyncio, asyncio.events, os, sys
from outpace_server.event_loop import run_in_loop
from outpace_server.processes import Interrupted, interruptible

step = asyncio.events.Handle._run

def told_first(handle):
    asyncio.events.Handle._run = step
    os.kill(os.getpid(), int(sys.argv[1]))
    step(handle)

async def work():
    task = asyncio.create_task(asyncio.sleep(600))
    asyncio.events.Handle._run = told_first
    await task

try:
    with interruptible():
        run_in_loop(work())
except Interrupted as error:
    sys.exit(error.exit_status)
"""
IN_A_FULL_PIPE = """
import os
from outpace_server import event_loop
from outpace_server.processes import interruptible

event_loop.STUCK_S = 0.01

async def work():
    nobody_reads, full = os.pipe()
    os.set_blocking(full, False)
    try:
        while True:
            os.write(full, bytes(1 << 16))
    except BlockingIOError:
        os.set_blocking(full, True)
    print("full", flush=True)
    os.write(full, bytes(1 << 16))

with interruptible():
    event_loop.run_in_loop(work())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_step_that_a_signal_comes_before_is_made(number: signal.Signals) -> None:
    ran = subprocess.run([sys.executable, "-c", BEFORE_A_STEP, str(int(number))], timeout=60, check=False)
    assert ran.returncode == 128 + number


def test_a_pipe_that_nobody_reads_is_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", IN_A_FULL_PIPE], stdout=subprocess.PIPE) as command:
        assert command.stdout is not None and command.stdout.readline() == b"full\n"
        command.terminate()
        assert command.wait(60) == 128 + signal.SIGTERM
