"""How every peer is served: uvicorn on uvloop and httptools, a port of its own, one line when it is ready."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
import uvloop


async def _serve(application: Any) -> None:
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    await task


def serve(build: Callable[[str], Any]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        application = build(given.database)
        runner.run(_serve(application))
