"""`chatserver bots`: who answers on this server, and whether they can."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from chatserver.cli.options import load_settings
from chatserver.settings import Settings

if TYPE_CHECKING:
    from chatserver.bots.declaration import ModelBotDeclaration
    from chatserver.bots.model import ModelBot

BUILT_IN_ADAPTER = "built in"


@click.group(invoke_without_command=True)
@click.pass_context
def bots(context: click.Context) -> None:
    """List the bots of this server.

    With the model that speaks for each, the host it is asked at, and whether its key is set: never
    the key. On a terminal a table; elsewhere one line of JSON for each bot.
    """
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    from chatserver.cli.problems import explained

    with explained(settings):
        rows = listed(settings)
    _show(rows)


@bots.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
def check(names: tuple[str, ...]) -> None:
    """Ask the model of each bot for a sign of life.

    All that a model speaks for, or those that are named. Prints `ok` with the milliseconds it took,
    or the error. Exits with 1 where one failed.
    """
    settings = load_settings()
    from chatserver.bot_settings import declared_bots
    from chatserver.cli.problems import explained
    from chatserver.observability.logs import configure_logs

    configure_logs(settings.log_format, "warning")
    with explained(settings):
        declared = {bot.name: bot for bot in declared_bots(settings)}
    if unknown := [name for name in names if name not in declared]:
        raise click.UsageError(f"no model speaks for {', '.join(unknown)}; see chatserver bots")
    if not declared:
        click.echo("there is no bot that a model speaks for", err=True)
    rows = asyncio.run(_check(settings, [declared[name] for name in names or declared]))
    _show(rows)
    if not all(row["ok"] for row in rows):
        raise SystemExit(1)


def listed(settings: Settings) -> list[dict[str, Any]]:
    """What is shown of each bot. Raises what `declared_bots` raises."""
    from chatserver.bot_settings import BUILT_IN, declared_bots, default_bot

    declared = declared_bots(settings)
    default = default_bot(settings, declared)
    rows: list[dict[str, Any]] = [
        {"name": name, "adapter": BUILT_IN_ADAPTER, "model": None, "host": None}
        | {"key": "none needed", "key_variable": None}
        for name in BUILT_IN
    ]
    rows += [
        {"name": bot.name, "adapter": bot.adapter, "model": bot.model, "host": _host(bot)}
        | {"key": _key(bot, settings), "key_variable": bot.key_variable}
        for bot in declared
    ]
    return [row | {"default": row["name"] == default} for row in rows]


async def checked(name: str, bot: "ModelBot") -> dict[str, Any]:
    """What came of asking one bot's model."""
    from chatserver.chat.ports import BotError

    began = time.monotonic()
    result: dict[str, Any] = {"name": name, "ok": True}
    try:
        await bot.check()
    except BotError as failure:
        error = failure.error
        result |= {"ok": False, "code": error.code, "message": error.message}
    finally:
        await bot.close()
    return result | {"ms": round((time.monotonic() - began) * 1000)}


async def _check(
    settings: Settings, declared: Sequence["ModelBotDeclaration"]
) -> list[dict[str, Any]]:
    from chatserver.bots.roster import make_model_bot
    from chatserver.compose.models import adapters
    from chatserver.observability.metrics import Metrics
    from chatserver.observability.model_use import ModelUse

    factory = adapters(ModelUse(Metrics()))
    return await asyncio.gather(
        *(checked(one.name, make_model_bot(one, factory, settings.secret)) for one in declared)
    )


def _host(bot: "ModelBotDeclaration") -> str:
    url = bot.base_url
    return f"{url.host}" if url.port in (80, 443) else f"{url.host}:{url.port}"


def _key(bot: "ModelBotDeclaration", settings: Settings) -> str:
    if bot.key_variable is None:
        return "none needed"
    return "set" if settings.secret(bot.key_variable) is not None else "missing"


def _show(rows: Sequence[dict[str, Any]]) -> None:
    if not sys.stdout.isatty():
        for row in rows:
            click.echo(json.dumps(row))
        return
    from chatserver.cli.bots_view import show

    show(rows)
