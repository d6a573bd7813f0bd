"""What a line of `talk --json` may ask for, and doing it."""

import json
from typing import Annotated, Any, ClassVar

from pydantic import Field

from chatserver.chat.commands import MAX_PAGE, Id, Seq, SeqOrZero, Text, parse
from chatserver.chat.errors import InvalidPayload
from chatserver.chat.models import Model
from chatserver.client import ChatSession

Limit = Annotated[int, Field(ge=1, le=MAX_PAGE)]


class Order(Model):
    name: ClassVar[str]
    doc: ClassVar[str]


class Send(Order):
    name = "send"
    doc = "say something; what a line without `do` means"

    text: Text
    reply_to: Seq | None = None
    client_message_id: Id | None = None


class Edit(Order):
    name = "edit"
    doc = "change the text of one's own message"

    seq: Seq
    text: Text


class Delete(Order):
    name = "delete"
    doc = "erase a message"

    seq: Seq


class Stop(Order):
    name = "stop"
    doc = "stop a reply, or all that are being said"

    reply_id: Id | None = None


class Retry(Order):
    name = "retry"
    doc = "ask again after a reply has ended"

    reply_id: Id


class PageOfLog(Order):
    name = "history"
    doc = "a page of the log, ascending; the newest where neither bound is given"

    before_seq: Seq | None = None
    after_seq: SeqOrZero | None = None
    limit: Limit = 50


class Search(Order):
    name = "search"
    doc = "the newest messages that have all the words; `next` is where to look further back"

    words: Annotated[str, Field(min_length=1, max_length=1_000)]
    before_seq: Seq | None = None
    limit: Limit = 20


class Read(Order):
    name = "read"
    doc = "one has read up to `seq`"

    seq: Seq


class Typing(Order):
    name = "typing"
    doc = "tell the others that one is writing, or no longer is"

    typing: bool


class Wait(Order):
    name = "wait"
    doc = "go on with the next line when all replies that were asked for have ended"


ORDERS: dict[str, type[Order]] = {
    kind.name: kind
    for kind in (Send, Edit, Delete, Stop, Retry, PageOfLog, Search, Read, Typing, Wait)
}


def read_order(line: bytes) -> Order:
    """Raises `InvalidPayload`, which names what is wrong."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidPayload("the line is not JSON") from None
    if not isinstance(given, dict):
        raise InvalidPayload("the line is not a JSON object")
    name = given.pop("do", Send.name)
    if not isinstance(name, str) or name not in ORDERS:
        raise InvalidPayload(f"do: one of {', '.join(ORDERS)}", field="do")
    return parse(ORDERS[name], given)


async def obey(session: ChatSession, order: Order) -> dict[str, Any]:
    """What came of it, JSON-ready. Raises like the methods of `ChatSession`."""
    match order:
        case Send():
            message = await session.send(
                order.text, order.client_message_id, reply_to=order.reply_to
            )
            return {"message": message.wire()}
        case Edit():
            return {"event": (await session.edit(order.seq, order.text)).wire()}
        case Delete():
            return {"event": (await session.delete_message(order.seq)).wire()}
        case Stop():
            running = [reply.reply_id for reply in session.running_replies()]
            asked = running if order.reply_id is None else [order.reply_id]
            return {"replies": [(await session.stop_reply(each)).wire() for each in asked]}
        case Retry():
            return {"reply": (await session.retry_reply(order.reply_id)).wire()}
        case PageOfLog():
            bounds = order.model_dump(exclude_none=True)
            return (await session.history(**bounds)).wire()
        case Search():
            found = await session.search(
                order.words, before_seq=order.before_seq, limit=order.limit
            )
            return {"messages": [each.wire() for each in found.messages], "next": found.next}
        case Read():
            return {"seq": await session.mark_read(order.seq)}
        case Typing():
            await session.set_typing(order.typing)
    return {}
