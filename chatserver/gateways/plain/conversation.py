"""One client's talk in one session: frames become messages, and what is said becomes lines."""

import secrets
from collections.abc import AsyncIterator

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from chatserver.chat.commands import MAX_PAGE, GetHistory, Joined, MarkRead, SendMessage
from chatserver.chat.errors import BlankText, ChatError, Unauthorized
from chatserver.chat.events import ReplyStarted, SessionDeleted, Signal
from chatserver.chat.models import Event, EventType, Participant
from chatserver.chat.ports import Visitor
from chatserver.chat.service import ChatService
from chatserver.gateways.plain.lines import ERROR, LEFT_OUT, line_of
from chatserver.gateways.plain.marks import ReadMarks
from chatserver.gateways.sockets import DoorSocket
from chatserver.gateways.talk import BadFrame, Patience, talk

MISSED_EVENTS = 1_000
"""The newest of those that a client missed are told to it; that older ones are not, as well."""


class Conversation:
    """Of somebody who has just joined; once."""

    def __init__(
        self, ws: DoorSocket, visitor: Visitor, joined: Joined, thinking_notice: str
    ) -> None:
        self.session_id = joined.session.id
        self._ws = ws
        self._visitor = visitor
        self._thinking_notice = thinking_notice
        self._patience = Patience()

    async def run(self, request: web.Request) -> None:
        """Until `talk` ends, which closes the WebSocket."""
        await talk(request, self._ws, self._visitor, self.act, self.tell)

    async def act(self, message: WSMessage) -> None:
        """A message of theirs. Raises `BadFrame` and `Unauthorized`; other refusals are told."""
        if message.type is not WSMsgType.TEXT:
            raise BadFrame(WSCloseCode.UNSUPPORTED_DATA, "only text is understood here")
        await self._say(message.data)

    async def tell(self, heard: Event | Signal) -> None:
        match heard:
            case Event():
                await self._tell_event(heard)
            case ReplyStarted(attempt=1) if self._thinking_notice:
                await self._ws.send_str(self._thinking_notice)
            case SessionDeleted(session_id=self.session_id):
                raise BadFrame(WSCloseCode.POLICY_VIOLATION, "the session was deleted")

    async def _say(self, text: str) -> None:
        said = {
            "session_id": self.session_id,
            "text": text,
            "client_message_id": secrets.token_urlsafe(12),
        }
        try:
            await self._visitor.attempt(SendMessage, said)
        except BlankText:
            pass
        except Unauthorized:
            raise  # the connection ends
        except ChatError as refused:
            self._patience.refused(refused)
            await self._ws.send_str(f"{ERROR}{refused.message}")
        else:
            self._patience.took()

    async def _tell_event(self, event: Event) -> None:
        who = self._visitor.participant
        if event.type is EventType.PARTICIPANT_LEFT and event.data["participant"]["id"] == who.id:
            raise BadFrame(WSCloseCode.POLICY_VIOLATION, "you have left the session")
        line = line_of(event, who)
        if line is None:
            self._pass(event.seq)
        else:
            await self._send(line, event.seq)

    async def _send(self, line: str, seq: int) -> None:
        await self._ws.send_str(line)

    def _pass(self, seq: int) -> None:
        """Nothing is told of the event."""


class LastingConversation(Conversation):
    """Of somebody who may come back, and then hears what they have missed."""

    def __init__(
        self,
        ws: DoorSocket,
        visitor: Visitor,
        joined: Joined,
        thinking_notice: str,
        chat: ChatService,
    ) -> None:
        super().__init__(ws, visitor, joined, thinking_notice)
        self._chat = chat
        self._joined: Joined | None = joined
        self._marks = ReadMarks(ws, self._mark, _read_seq(joined, visitor))

    async def run(self, request: web.Request) -> None:
        async with self._marks.kept():
            await talk(
                request,
                self._ws,
                self._visitor,
                self.act,
                self.tell,
                self._catch_up,
                self._marks.answered,
            )

    async def _send(self, line: str, seq: int) -> None:
        await self._marks.send(line, seq)

    def _pass(self, seq: int) -> None:
        self._marks.passed(seq)

    async def _catch_up(self) -> None:
        """Tells what others said since they last read, or since they came for the first time."""
        joined, self._joined = self._joined, None
        assert joined is not None, "one catches up once"
        read = _read_seq(joined, self._visitor)
        since = max(read, await self._joining_seq(joined, read))
        if joined.to_seq - since > MISSED_EVENTS:
            since = joined.to_seq - MISSED_EVENTS
            await self._send(LEFT_OUT, since)
        async for event in self._after(since, joined):
            line = line_of(event, self._visitor.participant)
            if line is not None:
                await self._send(line, event.seq)
        self._pass(joined.to_seq)

    async def _joining_seq(self, joined: Joined, read: int) -> int:
        """Of their last joining, if it is found: they knew nothing before it.

        Who joins by coming here has just done so. Who has read nothing here yet may have joined by
        another door, long ago.
        """
        me = self._visitor.participant
        found = max((each.seq for each in joined.events if _is_joining(each, me)), default=0)
        if found or read:
            return found
        async for event in self._after(max(0, joined.to_seq - MISSED_EVENTS), joined):
            if _is_joining(event, me):
                found = event.seq
        return found

    async def _after(self, since: int, joined: Joined) -> AsyncIterator[Event]:
        while since + 1 < joined.from_seq:
            page = GetHistory(session_id=self.session_id, after_seq=since, limit=MAX_PAGE)
            # Our own doing: it takes nothing from what the client may do in a second.
            history = await self._chat.get_history(self._visitor.participant, page)
            for event in history.events:
                if event.seq < joined.from_seq:
                    yield event
            since = min(history.events[-1].seq, joined.from_seq - 1)
        for event in joined.events:
            if event.seq > since:
                yield event

    async def _mark(self, seq: int) -> None:
        mark = MarkRead(session_id=self.session_id, seq=seq)
        await self._chat.mark_read(self._visitor.participant, mark)


def _read_seq(joined: Joined, visitor: Visitor) -> int:
    me = visitor.participant.id
    return next(each.read_seq for each in joined.members if each.participant.id == me)


def _is_joining(event: Event, who: Participant) -> bool:
    return event.type is EventType.PARTICIPANT_JOINED and event.data["participant"]["id"] == who.id
