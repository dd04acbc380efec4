"""A proxy that makes a server on loopback as far away as one elsewhere: each piece that is sent arrives later.

Knows bytes and clocks only. What was sent together arrives together: latency, not a smaller bandwidth.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["far_away"]

_PIECE: Final = 256 * 1024


@contextmanager
def far_away(host: str, delay: float) -> Iterator[str]:
    """The address of a proxy to ``host`` that holds back each request for ``delay`` seconds."""
    loop = asyncio.new_event_loop()
    address, port = host.rsplit(":", 1)

    async def carry(client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection: requests late, answers at once."""
        reader, writer = await asyncio.open_connection(address, int(port))

        async def late() -> None:
            """From the client to the server."""
            while piece := await client.read(_PIECE):
                loop.call_later(delay, writer.write, piece)
            loop.call_later(delay, writer.close)

        there = asyncio.ensure_future(late())
        with suppress(ConnectionError, asyncio.CancelledError):
            while piece := await reader.read(_PIECE):
                answer.write(piece)
                await answer.drain()
        answer.close()
        there.cancel()

    server = loop.run_until_complete(asyncio.start_server(carry, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    """Close the server and give up what is open."""
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
