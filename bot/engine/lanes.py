"""When a send may leave: sliding windows, the strict reading of a platform's limits, and one lane per conversation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.engine.port import Limits, Window
from storage.outbox import Copy, Parcel

MARGIN = 0.02  # seconds: the platform counts when a request arrives, and requests do not take equally long


class Meter:
    """Sliding windows over sends. A send counts from its start, and stops counting one window after its *end*."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._windows = tuple((window, deque[float]()) for window in windows)
        self._open = 0

    def wait(self, now: float) -> float:
        """Seconds until one more may start; ``inf`` while only sends under way hold the places."""
        longest = 0.0
        for window, ended in self._windows:
            while ended and ended[0] + window.seconds + MARGIN <= now:
                ended.popleft()
            over = len(ended) + self._open - window.count + 1
            if over <= 0:
                continue
            longest = max(longest, ended[over - 1] + window.seconds + MARGIN - now if over <= len(ended) else _INF)
        return longest

    def start(self) -> None:
        self._open += 1

    def drop(self) -> None:
        """What was started did not leave after all."""
        self._open -= 1

    def end(self, now: float) -> None:
        self._open -= 1
        for _window, ended in self._windows:
            ended.append(now)


_INF = float("inf")


@dataclass(slots=True)
class Lane:
    """One conversation: what waits for it, in order, and what it may take."""

    channel: str
    place: str
    private: bool
    meter: Meter
    parcels: deque[Parcel] = field(default_factory=deque)
    stale: dict[tuple[str, str], Copy] = field(default_factory=dict)
    busy: bool = False
    reserved: bool = False  # a place in the windows is taken for the send that is being prepared
    hold: float = 0.0  # monotonic: nothing before this
    edited: float = -1e9  # monotonic: the last edit

    def wait(self, now: float) -> float:
        return max(self.hold - now, self.meter.wait(now), 0.0)


def lane_for(limits: Limits, channel: str, place: str, private: bool) -> Lane:
    return Lane(channel, place, private, Meter(limits.private if private else limits.group))
