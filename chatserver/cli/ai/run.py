"""AIs from their start to a signal, and what keeps them from it in words."""

import asyncio

import click

from chatserver.chat.errors import ChatError
from chatserver.chat.models import Visibility
from chatserver.cli.ai.crew import RoomEnded, take_part
from chatserver.cli.ai.entrance import Entered, Entrance, FramedEntrance, SessionEntrance
from chatserver.cli.ai.framed_uri import FramedUri
from chatserver.cli.ai.mind import Mind, NoKey, NoSuchBot, mind_of
from chatserver.cli.ai.mode import Mode
from chatserver.cli.ai.refusals import Refused
from chatserver.cli.ai.session_door import NoAi
from chatserver.cli.options import load_settings
from chatserver.cli.problems import explained
from chatserver.cli.talk import view
from chatserver.cli.talk.place import Place
from chatserver.client.errors import ClientError
from chatserver.compose.running import stop_signal
from chatserver.observability.logs import configure_logs


def run(
    names: list[str],
    where: Place | FramedUri,
    mode: Mode,
    bot: str | None,
    token: str | None,
    visibility: Visibility,
    ignored: frozenset[str],
) -> None:
    """Until SIGTERM or SIGINT. `ignored` are names of bots at a framed door.

    Raises `click.ClickException`.
    """
    settings = load_settings()
    configure_logs(settings.log_format, "warning")
    try:
        with explained(settings):
            mind = mind_of(settings, bot, mode)
    except NoSuchBot as error:
        raise click.UsageError(f"--bot: {error}") from None
    except NoKey as error:
        raise click.ClickException(f"the bot cannot answer: {error} is not set") from None
    entrance = (
        FramedEntrance(where, mind.names | ignored)
        if isinstance(where, FramedUri)
        else SessionEntrance(where, token=token, visibility=visibility)
    )
    try:
        asyncio.run(_until_signalled(names, entrance, mind, mode))
    except ChatError as error:
        raise click.ClickException(
            view.line(f"the server says: {error.message} ({error.code})")
        ) from error
    except (ClientError, Refused) as error:
        raise click.ClickException(view.line(str(error))) from error
    except NoAi as error:
        name = view.line(str(error))
        raise click.ClickException(
            f"the token is {name}'s, and AIs know each other by names that begin with AI-; get "
            f"another: chatserver token --name 'AI-{name}'"
        ) from None
    except RoomEnded:
        raise click.ClickException("the session is gone") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


async def _until_signalled(names: list[str], entrance: Entrance, mind: Mind, mode: Mode) -> None:
    stop = asyncio.create_task(stop_signal().wait())
    work = asyncio.create_task(take_part(names, entrance, mind, mode, _entered, _report))
    await asyncio.wait((stop, work), return_when=asyncio.FIRST_COMPLETED)
    ended = work.done()
    for task in (stop, work):
        task.cancel()
    await asyncio.gather(stop, work, return_exceptions=True)
    if ended:
        work.result()


def _entered(entered: Entered) -> None:
    click.echo(view.line(f"{entered.name} is in {entered.where}"))


def _report(name: str, text: str) -> None:
    click.echo(view.line(f"{name}: {text}"), err=True)
