"""The disk's thread: waits for the disk, one piece of work after the other, beside the event loop.

As an executor with one thread, but with less around each piece: a busy worker hands over hundreds
in a second, and an executor's bookkeeping took a thirtieth of all that a pixel costs.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
Piece = tuple[Callable[[], Any], asyncio.AbstractEventLoop, asyncio.Future[Any]]


class DiskThread:
    """One thread for what waits on the disk."""

    def __init__(self, name: str) -> None:
        self._pieces: SimpleQueue[Piece | None] = SimpleQueue()
        # A daemon: the interpreter's end doesn't wait for a disk that never answers.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, when its turn has come; errors as `work`.

        What was handed over is done, also when whoever waits for it is cancelled.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        self._pieces.put((work, loop, done))
        return await done

    def close(self) -> None:
        """Finish what was handed over and end the thread."""
        self._pieces.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (piece := self._pieces.get()) is not None:
            _do(*piece)
            del piece  # What it holds must not wait in memory for the next one.


def _do(
    work: Callable[[], Any], loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any]
) -> None:
    with suppress(RuntimeError):  # Where the loop has ended nobody waits any more.
        try:
            result = work()
        except BaseException as error:
            loop.call_soon_threadsafe(_fail, done, error)
        else:
            loop.call_soon_threadsafe(_succeed, done, result)


def _succeed(done: asyncio.Future[Any], result: Any) -> None:
    if not done.done():  # cancelled
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
