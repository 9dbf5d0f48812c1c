"""When the garbage collector runs: seldom while much is loaded, and never over what is loaded once calls are served."""

from __future__ import annotations

import gc

_LOADING = (200_000, 20, 20)
_SERVING = (5_000, 10, 10)


def expect_loading() -> None:
    """Look seldom: what loading makes is there to stay, and looking through it again and again costs a tenth."""
    gc.set_threshold(*_LOADING)


def expect_calls() -> None:
    """Take what is loaded out of sight, and look often enough for what calls leave behind.

    What is loaded is no garbage, and going through all of it takes tens of milliseconds, in which every call waits.
    The calls in flight are looked through each time for nothing, too: hence less often than Python does by itself.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SERVING)
