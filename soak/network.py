"""A network between tabs and server that delays, slows down and cuts connections."""

import asyncio
import random
import threading


class Network:
    """Forwards bytes between any number of listening ports and the server."""

    def __init__(self, seed: int, target: tuple[str, int]):
        self.random = random.Random(seed)
        self.target = target
        self.loop = asyncio.new_event_loop()
        self.calm = False
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def open(self) -> int:
        """Returns a new port that leads to the server."""
        serve = asyncio.start_server(self._carry, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serve, self.loop).result()
        return server.sockets[0].getsockname()[1]

    async def _carry(self, reader, writer):
        try:
            upstream = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        # Some connections are slow, some lose the answer, most do neither.
        slow = 0 if self.calm else self.random.choice([0, 0, 0, 0.02, 0.2])
        cut = None if self.calm or self.random.random() > 0.08 else self.random.choice(["request", "answer"])
        there = asyncio.create_task(self._pipe(reader, upstream[1], slow, cut == "request"))
        back = asyncio.create_task(self._pipe(upstream[0], writer, slow, cut == "answer"))
        # A client that has disconnected takes unsent data with it.
        await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        there.cancel()
        back.cancel()
        for end in (writer, upstream[1]):
            end.close()

    async def _pipe(self, reader, writer, slow, cut):
        try:
            while data := await reader.read(2048):
                if slow:
                    await asyncio.sleep(slow)
                if cut:
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
