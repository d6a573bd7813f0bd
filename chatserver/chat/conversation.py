"""What a bot gets to see of a session: the messages that count, in the order they are read."""

from collections.abc import Sequence

from chatserver.chat.models import Event, Reply
from chatserver.chat.ports import Transaction

LEAST = 10
PAGES = 6
"""Of messages, each twice as long as what is looked for, are looked through at most."""

Place = tuple[int, int]


def conversation(tx: Transaction, reply: Reply, prompt: Event, limit: int) -> tuple[Event, ...]:
    """The newest `limit` messages up to the prompt, which is the last of them.

    Answers to earlier prompts belong to it wherever they are in the log: a prompt may have come
    before the answer to the one before it was there.
    """
    found = [prompt]
    size = max(LEAST, 2 * limit)
    for _ in range(PAGES):
        page = tx.log.messages(reply.session_id, found[0].seq, size)
        found = [*page, *found]
        if len(page) < size or len(standing(found)) >= limit:
            break
    late = tx.replies.late_answers(reply.session_id, found[0].seq, prompt.seq)
    answers = [tx.log.get(reply.session_id, seq) for seq in late[-limit:]]
    whole = [*found, *(answer for answer in answers if answer is not None)]
    read = [event for event in standing(whole, prompt.seq) if event.seq != prompt.seq]
    return (*read[max(0, len(read) - limit + 1) :], prompt)


def standing(messages: Sequence[Event], prompt_seq: int | None = None) -> list[Event]:
    """Those of a stretch of the log's messages that count, in the order in which they are read.

    Deleted ones are gone. Answers that were cut short would teach a model to stop there, unless
    somebody kept them. Of one bot's answers to one prompt the newest counts, where the first
    stood. Those after the message `prompt_seq` are read behind what they answer.
    """
    places: dict[tuple[str, int], Place] = {}
    read: dict[Place, Event] = {}
    for message in messages:
        place = message.seq, 0
        if "reply_id" in message.data:
            answered = message.data["reply_to"]
            late = prompt_seq is not None and message.seq > prompt_seq
            if late or "replaces" in message.data:
                place = answered, message.seq
            place = places.setdefault((message.sender.id, answered), place)
        if counts(message):
            read[place] = message
    return [message for _, message in sorted(read.items())]


def counts(message: Event) -> bool:
    data = message.data
    cut_short = data.get("stopped") or data.get("failed")
    return not data.get("deleted_at") and (not cut_short or bool(data.get("kept")))
