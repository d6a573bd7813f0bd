"""A session into a file."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatserver.chat.archive.lines import End, EndCounts, MemoryLine, ReplyLine
from chatserver.chat.errors import NotFound

if TYPE_CHECKING:
    from chatserver.chat.ports import Transaction

PAGE = 200


def save_session(tx: "Transaction", session_id: str, write: Callable[[bytes], object]) -> int:
    """Every line of it, each with its end. Returns the number of events. Raises `NotFound`."""
    head = tx.archives.head(session_id)
    if head is None:
        raise NotFound("no such session")

    def put(line: bytes) -> None:
        write(line)
        write(b"\n")

    put(head.encoded)
    seq = 0
    while page := tx.log.after(session_id, seq, PAGE):
        for event in page:
            put(event.encoded)
        seq = page[-1].seq
    replies = memories = 0
    for reply in tx.archives.replies(session_id):
        put(ReplyLine(reply=reply).encoded)
        replies += 1
    for memory in tx.archives.memories(session_id):
        put(MemoryLine(memory=memory).encoded)
        memories += 1
    put(End(end=EndCounts(replies=replies, memories=memories)).encoded)
    return seq
