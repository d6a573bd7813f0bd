"""Talking without a terminal: lines in, replies out."""

import click

from chatserver.chat.addressing import answering
from chatserver.chat.errors import InvalidPayload, NotFound
from chatserver.chat.models import Event, ParticipantKind
from chatserver.cli.talk import view
from chatserver.cli.talk.entering import client_for, enter
from chatserver.cli.talk.lines import LineTooLong, lines
from chatserver.cli.talk.place import Place
from chatserver.client import (
    ChatClient,
    ChatSession,
    Connected,
    Connecting,
    Lost,
    ReplyFailed,
    Status,
)

DEFAULT_NAME = "Terminal"


async def talk_through_pipe(
    place: Place, *, name: str | None, token: str | None, title: str, bot: str | None
) -> None:
    """Sends every line of stdin and prints its reply to stdout; all else goes to stderr.

    Raises SystemExit(1) at the end where a reply failed or a line could not be said.
    """
    failed, number = False, 0
    async with client_for(place, name or DEFAULT_NAME, token, _report) as client:
        session = await enter(client, place, title=title, bot=bot)
        async for line in lines():
            number += 1
            try:
                text = _text(line)
                if text.strip():
                    failed = not await _ask(client, session, text) or failed
            except (LineTooLong, InvalidPayload) as error:
                click.echo(f"line {number} was not sent: {view.line(str(error))}", err=True)
                failed = True
    if failed:
        raise SystemExit(1)


def asked(client: ChatClient, session: ChatSession, text: str) -> tuple[str, ...]:
    """The bots that answer what one says there."""
    members = [member.participant for member in session.members.values()]
    bots = [each.name for each in members if each.kind is ParticipantKind.BOT]
    return answering(session.info, client.participant, text, bots)


def _text(line: bytes | LineTooLong) -> str:
    if isinstance(line, LineTooLong):
        raise line
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise InvalidPayload("the line is not UTF-8") from None


async def _ask(client: ChatClient, session: ChatSession, text: str) -> bool:
    """Whether all answered. Raises `InvalidPayload` where the text is none that can be said."""
    prompt = await session.send(text)
    answers = [await _answered(session, prompt, bot) for bot in asked(client, session, text)]
    return all(answers)


async def _answered(session: ChatSession, prompt: Event, bot: str) -> bool:
    try:
        message = await session.reply(prompt, bot=bot).wait()
    except (ReplyFailed, TimeoutError, NotFound) as error:
        click.echo(f"no reply: {view.line(str(error)) or 'it took too long'}", err=True)
        return False
    if message is not None:
        click.echo(view.safe(message.data["text"]))
    return True


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
