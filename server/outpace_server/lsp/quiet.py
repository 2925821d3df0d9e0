"""Collecting garbage while nobody types.

Of a long file with hundreds of findings the collector takes 60 ms to go over all that is known, which is more than all
else that a key costs. So it does it when somebody has been there, and has paused.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outpace_server.lsp.attention import Attention

LOOK_S = 5.0
PAUSED_S = 3.0
"""Longer than between two words, or two looks at a menu."""


async def collect_in_pauses(attention: Attention) -> None:
    collected = attention.last
    while True:
        await asyncio.sleep(LOOK_S)
        if attention.last != collected and attention.idle(PAUSED_S / 60):
            collected = attention.last
            gc.collect()
