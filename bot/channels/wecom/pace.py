"""How fast each way may be used: every message counts, an answer like a push, a text before a card like the card.

The postman waits by conversation and counts parcels; what a parcel becomes, and what is said past the outbox, only we
know. So the last count is here, and a send that would be too much says after how many seconds it may come again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.channels.wecom.connection import Trouble
from bot.engine.lanes import Meter
from bot.engine.port import Window

KNOWN = 4096
TOO_FAST = 846607
ROOM = 6  # one place of so many is left for answers, where room is left


class Pace:
    """One count per conversation, or per robot, in sliding windows like the postman's."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows
        self._less = [Window(one.count - one.count // ROOM, one.seconds) for one in windows]
        self._meters: OrderedDict[str, tuple[Meter, Meter]] = OrderedDict()

    @contextmanager
    def taken(self, key: str, count: int = 1, *, leaves_room: bool = False) -> Iterator[None]:
        """Places for so many messages that are sent inside, all or none; ``Trouble`` where there are not so many now.

        They count until a window after the end, whatever came of them: a refusal may count over there, too.
        """
        meters = self._meters_of(key)
        asked = meters if leaves_room else meters[:1]
        for number in range(count):
            wait = max(meter.wait(time.monotonic()) for meter in asked)
            if wait > 0:
                for meter in meters * number:
                    meter.drop()
                raise Trouble(TOO_FAST, "our own count", wait=min(wait, 60.0))
            for meter in meters:
                meter.start()
        try:
            yield
        finally:
            for meter in meters * count:
                meter.end(time.monotonic())

    def _meters_of(self, key: str) -> tuple[Meter, Meter]:
        meters = self._meters.setdefault(key, (Meter(self._windows), Meter(self._less)))
        self._meters.move_to_end(key)
        while len(self._meters) > KNOWN:
            self._meters.popitem(last=False)
        return meters
