"""Many coroutines, some at a time, all or nothing."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


async def gather_some(
    at_once: int,
    work: Sequence[Coroutine[Any, Any, T]],
    undo: Callable[[T], None] = lambda result: None,
) -> list[T]:
    """The results in order, so many under way at a time.

    Raises the first error, after which no more is begun; `undo` gets every result until then.
    """
    gate = asyncio.Semaphore(at_once)
    errors: list[BaseException] = []

    async def one(each: Coroutine[Any, Any, T]) -> T:
        async with gate:
            if errors:
                each.close()
                raise errors[0]
            try:
                return await each
            except BaseException as error:
                errors.append(error)
                raise

    results = await asyncio.gather(*[one(each) for each in work], return_exceptions=True)
    if errors:
        for each in results:
            if not isinstance(each, BaseException):
                undo(each)
        raise errors[0]
    return [each for each in results if not isinstance(each, BaseException)]
