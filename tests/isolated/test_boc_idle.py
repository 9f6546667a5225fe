"""Workers that have nothing to do use no processor."""

from __future__ import annotations

import pytest

from support.programs import output_of

# What this process has used while nothing was to be done; whatever else the machine does is not
# in it. A single worker that span would use most of the time.
PROGRAM = """
import os, threading, time
from bocmat import Cown, Matrix, quiesce, start, wait, when

start(4)
cowns = [Cown(0) for _ in range(8)]
for number in range(400):
    @when(cowns[number % 8])
    def _(cown):
        cown.value += 1
{before}
time.sleep(0.1)
begin, used = time.monotonic(), time.process_time()
{idle}
print((time.process_time() - used) / (time.monotonic() - begin))
wait()
"""

WAYS = {
    "running, all done": ("quiesce()", "time.sleep(1)"),
    "after wait": ("wait()", "time.sleep(1)"),
    "woken now and then": (
        "quiesce()",
        """
for _ in range(10):
    when(cowns[0])(lambda cown: None)
    time.sleep(0.1)
""",
    ),
    "one works, or seems to": (
        """
quiesce()
receiving, sending = os.pipe()
gate, opening = os.pipe()
@when(cowns[0])
def _(cown):
    os.write(sending, b"x")
    os.read(gate, 1)
@when(cowns[0])
def _(cown):
    pass
os.read(receiving, 1)
""",
        """
threading.Timer(1, os.write, (opening, b"x")).start()
quiesce()
""",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_idle_workers_use_no_processor(backend_name, way):
    before, idle = WAYS[way]
    program = PROGRAM.format(before=before, idle=idle)
    (share,) = output_of(program, BOCMAT_BACKEND=backend_name, timeout=120)
    assert float(share) < 0.15
