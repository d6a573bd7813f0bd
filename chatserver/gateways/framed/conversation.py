"""One connection of the framed door, once it is open."""

import itertools
import secrets

from aiohttp import WSCloseCode, WSMessage, WSMsgType

from chatserver.chat.commands import SendMessage
from chatserver.chat.errors import ChatError, Draining, Unauthorized
from chatserver.chat.events import SessionDeleted, Signal
from chatserver.chat.models import Event, EventType
from chatserver.chat.ports import Visitor
from chatserver.gateways.framed.frames import NotUtf8, WrongLength, decode, encode
from chatserver.gateways.framed.lines import line_of, notice
from chatserver.gateways.sockets import DoorSocket
from chatserver.gateways.talk import BadFrame, Patience


class Conversation:
    """`act` and `tell` of `gateways.talk`."""

    def __init__(self, ws: DoorSocket, visitor: Visitor, session_id: str, frame_bytes: int) -> None:
        """`frame_bytes`: the most that a frame may have, header included."""
        self._ws = ws
        self._visitor = visitor
        self._session_id = session_id
        self._frame_bytes = frame_bytes
        self._own = f"framed-{secrets.token_urlsafe(12)}-"
        self._numbers = itertools.count(1)
        self._patience = Patience()

    async def act(self, message: WSMessage) -> None:
        """Sends it; a refusal by the rules of the chat is told to the sender alone."""
        command = {
            "session_id": self._session_id,
            "text": self._read(message),
            "client_message_id": f"{self._own}{next(self._numbers)}",
        }
        try:
            await self._visitor.attempt(SendMessage, command)
        except (Draining, Unauthorized):
            raise
        except ChatError as refusal:
            self._patience.refused(refusal)
            await self._say(notice(refusal.message))
        else:
            self._patience.took()

    async def tell(self, heard: Event | Signal) -> None:
        """Raises `BadFrame` where there is no more to hear."""
        match heard:
            case SessionDeleted(session_id=self._session_id):
                raise BadFrame(WSCloseCode.POLICY_VIOLATION, "the session was deleted")
            case Event(type=EventType.PARTICIPANT_LEFT) if self._is_mine(heard):
                raise BadFrame(WSCloseCode.POLICY_VIOLATION, "you have left the session")
        line = line_of(heard, self._visitor.participant, self._own)
        if line is not None:
            await self._say(line)

    async def _say(self, line: str) -> None:
        await self._ws.send_bytes(encode(line))

    def _is_mine(self, leaving: Event) -> bool:
        return bool(leaving.data["participant"]["id"] == self._visitor.participant.id)

    def _read(self, message: WSMessage) -> str:
        """Raises `BadFrame`."""
        if message.type is not WSMsgType.BINARY:
            raise BadFrame(WSCloseCode.UNSUPPORTED_DATA, "frames are binary here")
        frame: bytes = message.data
        if len(frame) > self._frame_bytes:
            raise BadFrame(WSCloseCode.MESSAGE_TOO_BIG, "the frame is too large")
        try:
            return decode(frame)
        except WrongLength as wrong:
            raise BadFrame(WSCloseCode.PROTOCOL_ERROR, str(wrong)) from None
        except NotUtf8 as wrong:
            raise BadFrame(WSCloseCode.INVALID_TEXT, str(wrong)) from None
