"""The disk's thread: what it is given is done in turn, once, whoever still waits for it."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from functools import partial

import pytest

from collector.disk_thread import DiskThread

WAIT_SECONDS = 20


@pytest.fixture
def disk() -> Iterator[DiskThread]:
    """A thread that ends with the test."""
    disk = DiskThread("test")
    yield disk
    disk.close()


def test_pieces_are_done_in_turn_beside_the_loop(disk: DiskThread) -> None:
    """Each returns its own result, in the order of handing over, and never in the loop's thread."""
    done: list[int] = []

    def work(number: int) -> int:
        assert threading.current_thread() is not threading.main_thread()
        done.append(number)
        return number

    async def story() -> list[int]:
        return await asyncio.gather(*(disk.do(partial(work, n)) for n in range(50)))

    assert asyncio.run(story()) == list(range(50))
    assert done == list(range(50))


def test_what_the_work_raises_its_waiter_gets_and_the_next_goes_on(disk: DiskThread) -> None:
    """A commit that fails is its own group's trouble."""

    def fails() -> None:
        raise OSError("full")

    async def story() -> str:
        with pytest.raises(OSError, match="full"):
            await disk.do(fails)
        return await disk.do(lambda: "the next")

    assert asyncio.run(story()) == "the next"


def test_what_was_handed_over_is_done_though_nobody_waits(disk: DiskThread) -> None:
    """A shutdown that ran out of time cancels its waiters, a loop may even have ended: the work is
    done all the same, and so is the next one's."""
    may_go, done = threading.Event(), []

    async def hand_over() -> None:
        waiting = asyncio.create_task(disk.do(lambda: may_go.wait(WAIT_SECONDS)))
        behind = asyncio.create_task(disk.do(lambda: done.append("behind")))
        await asyncio.sleep(0)
        waiting.cancel()
        behind.cancel()

    async def next_one() -> None:
        may_go.set()
        await disk.do(lambda: done.append("next"))

    asyncio.run(hand_over())
    asyncio.run(next_one())
    assert done == ["behind", "next"]


def test_closing_finishes_what_was_handed_over() -> None:
    """The last commit is not dropped because the worker ends."""
    disk, done = DiskThread("test"), []

    async def story() -> None:
        pieces = [asyncio.create_task(disk.do(lambda: done.append(1))) for _ in range(20)]
        await asyncio.sleep(0)
        disk.close()
        await asyncio.gather(*pieces)

    asyncio.run(story())
    assert len(done) == 20


def test_a_piece_is_forgotten_once_it_is_done(disk: DiskThread) -> None:
    """A group's hits don't stay in memory until the next group comes."""

    class Group:
        def work(self) -> None:
            pass

    async def story() -> weakref.ref[Group]:
        group = Group()
        await disk.do(group.work)
        return weakref.ref(group)

    group = asyncio.run(story())
    gc.collect()
    for _ in range(200):
        if group() is None:
            return
        threading.Event().wait(0.01)
    raise AssertionError("still there")
