"""What logs say of a crash."""

from collections.abc import Iterator
from traceback import extract_tb


def traced(crash: BaseException) -> dict[str, object]:
    """Its kind and those of its causes, and where they happened, the deepest cause first.

    Not their words: they may quote what somebody wrote.
    """
    chain = list(_chain(crash))
    return {
        "error": " from ".join(_kind(each) for each in chain),
        "where": [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for each in reversed(chain)
            for frame in extract_tb(each.__traceback__)
        ],
    }


def _chain(crash: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    failure: BaseException | None = crash
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        yield failure
        hidden = failure.__suppress_context__
        failure = failure.__cause__ or (None if hidden else failure.__context__)


def _kind(failure: BaseException) -> str:
    return f"{type(failure).__module__}.{type(failure).__qualname__}"
