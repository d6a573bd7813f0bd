"""Talking without a terminal: lines in, replies out."""

import asyncio
import sys
from collections.abc import Callable, Iterator

import click

from chatserver.chat.addressing import answering
from chatserver.chat.errors import NotFound
from chatserver.chat.models import Event, ParticipantKind
from chatserver.cli.talk.place import Place
from chatserver.cli.talk.view import safe
from chatserver.client import (
    ChatClient,
    ChatSession,
    Connected,
    Connecting,
    Lost,
    ReplyFailed,
    Status,
)
from chatserver.client.settings import NewSettings

DEFAULT_NAME = "Terminal"
CONNECT_SECONDS = 10.0
"""How long a server that is not there yet is waited for."""


async def talk_through_pipe(
    place: Place, *, name: str | None, token: str | None, title: str, bot: str | None
) -> None:
    """Sends every line of stdin and prints its reply to stdout; all else goes to stderr.

    Raises SystemExit(1) at the end where a reply failed.
    """
    failed = False
    async with client_for(place, name or DEFAULT_NAME, token, _report) as client:
        session = await enter(client, place, title=title, bot=bot)
        lines = _lines()
        # A thread: reading blocks, and the connection must go on answering pings meanwhile.
        while (text := await asyncio.to_thread(next, lines, None)) is not None:
            if text.strip():
                failed = not await _ask(client, session, text) or failed
    if failed:
        raise SystemExit(1)


def client_for(
    place: Place, name: str | None, token: str | None, on_status: Callable[[Status], None]
) -> ChatClient:
    """Of a token where there is one, else of a name."""
    who = None if token else name
    return ChatClient(
        place.url,
        name=who,
        token=token or None,
        connect_timeout=CONNECT_SECONDS,
        on_status=on_status,
    )


async def enter(client: ChatClient, place: Place, *, title: str, bot: str | None) -> ChatSession:
    """Joins the place's session, or makes a new one."""
    if place.session_id is not None:
        return await client.join(place.session_id, invite=place.invite)
    settings: NewSettings = {} if bot is None else {"bot": bot or None}
    return await client.create_session(title, **settings)


async def _ask(client: ChatClient, session: ChatSession, text: str) -> bool:
    prompt = await session.send(text)
    members = [member.participant for member in session.members.values()]
    bots = [each.name for each in members if each.kind is ParticipantKind.BOT]
    asked = answering(session.info, client.participant, text, bots)
    return all([await _answered(session, prompt, bot) for bot in asked])


async def _answered(session: ChatSession, prompt: Event, bot: str) -> bool:
    try:
        message = await session.reply(prompt, bot=bot).wait()
    except (ReplyFailed, TimeoutError, NotFound) as error:
        click.echo(f"no reply: {str(error) or 'it took too long'}", err=True)
        return False
    if message is not None:
        click.echo(safe(message.data["text"]))
    return True


def _lines() -> Iterator[str]:
    for line in sys.stdin:
        yield line.rstrip("\n")


def _report(status: Status) -> None:
    match status:
        case Lost():
            click.echo("connection lost", err=True)
        case Connecting(seconds=seconds):
            click.echo(f"no connection; trying again in {seconds:.1f} s", err=True)
        case Connected(again=True):
            click.echo("connected again", err=True)
        case _:
            pass
