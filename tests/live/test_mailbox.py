"""Calls into an event loop from other threads."""

from __future__ import annotations

import asyncio
import threading

from heptagrid.live.mailbox import Mailbox


def test_what_threads_post_is_done_once_each_and_in_their_order() -> None:
    async def receive() -> list[tuple[int, int]]:
        mail, found = Mailbox(asyncio.get_running_loop()), list[tuple[int, int]]()

        def post(thread: int) -> None:
            for k in range(2000):
                mail.post(found.append, (thread, k))

        threads = [threading.Thread(target=post, args=(number,)) for number in range(4)]
        for one in threads:
            one.start()
        while len(found) < 8000:
            await asyncio.sleep(0.001)
        for one in threads:
            one.join()
        return found

    found = asyncio.run(asyncio.wait_for(receive(), 60.0))
    for thread in range(4):
        assert [k for number, k in found if number == thread] == list(range(2000))


def test_what_fails_is_told_to_the_loop_and_the_next_is_done_all_the_same() -> None:
    async def receive() -> tuple[list[str], list[str]]:
        loop = asyncio.get_running_loop()
        mail, found, failures = Mailbox(loop), list[str](), list[str]()
        loop.set_exception_handler(lambda _, context: failures.append(repr(context["exception"])))
        mail.post_all([(found.append, ("one",)), ("no function".index, ("nothing",)), (found.append, ("two",))])
        await asyncio.sleep(0.01)
        return found, failures

    found, failures = asyncio.run(receive())
    assert found == ["one", "two"]
    assert failures == ["ValueError('substring not found')"]


def test_posting_after_the_loop_has_ended_is_no_error() -> None:
    async def loop() -> Mailbox:
        return Mailbox(asyncio.get_running_loop())

    asyncio.run(loop()).post(print, "nobody reads this")
