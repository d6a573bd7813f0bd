"""Writes what is derived from the code: the tables of README.md and of the pages in docs, and the
web client's declarations of the protocol.

    python docs/derive.py [--check]

Each table stands between `<!-- derived: NAME -->` and `<!-- end -->`; so do programs of
docs/examples, between `<!-- example: NAME -->` and `<!-- end -->`. With --check nothing is
written; the exit status is 1 where something is out of date.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from chatserver import client
from chatserver.app import SERVER, create_app
from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.chat import errors
from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.chat.models import Model
from chatserver.cli.talk.orders import ORDERS
from chatserver.cli.talk.records import RECORDS
from chatserver.cli.talk.slash import COMMANDS as SLASH
from chatserver.cli.talk.slash import KEYS
from chatserver.gateways.contracts import typescript
from chatserver.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PAGES = (
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{page}.md"
        for page in ("protocol", "bots", "operations", "client", "talk")
    ),
)
EXAMPLE = re.compile(r"(<!-- example: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
DECLARATIONS = ROOT / "web" / "app" / "src" / "protocol.d.ts"
SECTION = re.compile(r"(<!-- derived: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands() -> Iterable[tuple[str, ...]]:
    yield "client → server", "payload", "ack `data`", ""
    for name, command in COMMANDS.items():
        yield f"`{name}`", shape(command), shape(command.ack), command.doc


def durable() -> Iterable[tuple[str, ...]]:
    yield "server → client, in the log", "`data`", ""
    for name, event in DURABLE.items():
        yield f"`{name}`", shape(event), event.doc


def signals() -> Iterable[tuple[str, ...]]:
    yield "server → client, ephemeral", "payload", ""
    for name, signal in SIGNALS.items():
        yield f"`{name}`", shape(signal), signal.doc


def error_codes() -> Iterable[tuple[str, ...]]:
    yield "code", "retry?", "meaning"
    for code, meaning in errors.meanings():
        yield f"`{code}`", "yes" if errors.CODES[code].retryable else "", meaning


def settings() -> Iterable[tuple[str, ...]]:
    yield "variable", "default", ""
    for name, info in Settings.model_fields.items():
        yield f"`{variable(name, info)}`", f"`{default(info)}`", info.description or ""


def bot_keys() -> Iterable[tuple[str, ...]]:
    yield "key", "default", ""
    for name, info in ModelBotDeclaration.model_fields.items():
        usual = "required" if info.is_required() else f"`{default(info)}`"
        yield f"`{name}`", usual, " ".join((info.description or "").split())


def metrics() -> Iterable[tuple[str, ...]]:
    yield "metric", "kind", ""
    one_of_several = {"database_url": "postgresql://host/chat", "redis_url": "redis://host"}
    server = create_app(Settings.model_validate(one_of_several))[SERVER]
    for each in server.metrics.registry.collect():
        ending = "_total" if each.type == "counter" else ""
        yield f"`{each.name}{ending}`", each.type, each.documentation


def client_names() -> Iterable[tuple[str, ...]]:
    yield "of `chatserver.client`", ""
    for name in client.__all__:
        public = getattr(client, name)
        if getattr(public, "__module__", "").startswith(client.__name__):
            yield f"`{name}`", summary(public)
    models = [
        n for n in client.__all__ if getattr(client, n).__module__.startswith("chatserver.ch")
    ]
    yield ", ".join(f"`{name}`" for name in models), "of `chatserver.chat`: what it all is about"


def methods(kind: type[object]) -> Iterable[tuple[str, ...]]:
    yield f"`{kind.__name__}`", ""
    for name, member in vars(kind).items():
        if not name.startswith("_"):
            arguments = "" if isinstance(member, property) else f"({parameters(member)})"
            yield f"`{name}{arguments}`", summary(member)


def slash() -> Iterable[tuple[str, ...]]:
    yield "typed", ""
    for name, what in SLASH.items():
        yield f"`/{name}`", what
    for key, what in KEYS.items():
        yield f"`{key}`", what


def orders() -> Iterable[tuple[str, ...]]:
    yield "`do`", "with", ""
    for name, order in ORDERS.items():
        yield f"`{name}`", shape(order), order.doc


def records() -> Iterable[tuple[str, ...]]:
    yield "`type`", ""
    for name, what in RECORDS.items():
        yield f"`{name}`", what


TABLES: dict[str, Callable[[], Iterable[tuple[str, ...]]]] = {
    "commands": commands,
    "durable": durable,
    "signals": signals,
    "errors": error_codes,
    "settings": settings,
    "bot_keys": bot_keys,
    "metrics": metrics,
    "client_names": client_names,
    "client_methods": lambda: methods(client.ChatClient),
    "session_methods": lambda: methods(client.ChatSession),
    "stream_methods": lambda: methods(client.ReplyStream),
    "slash": slash,
    "orders": orders,
    "records": records,
}


def shape(model: type[Model]) -> str:
    """The fields of an object, those that may be left out with a question mark."""
    fields = [
        name if info.is_required() else f"{name}?" for name, info in model.model_fields.items()
    ]
    return f"`{{{', '.join(fields)}}}`"


def parameters(function: Callable[..., object]) -> str:
    """Those that may be left out with a question mark."""
    shown = []
    for name, each in inspect.signature(function).parameters.items():
        if each.kind is each.VAR_KEYWORD:
            shown.append(f"**{name}")
        elif name != "self":
            shown.append(name if each.default is each.empty else f"{name}?")
    return ", ".join(shown)


def summary(documented: object) -> str:
    """The first sentence of its docstring."""
    text = " ".join((inspect.getdoc(documented) or "").split())
    return re.split(r"\.(?: |$)", text)[0]


def variable(name: str, info: FieldInfo) -> str:
    if isinstance(info.validation_alias, AliasChoices):
        return str(info.validation_alias.choices[1])  # without our prefix
    return f"CHATSERVER_{name.upper()}"


def default(info: FieldInfo) -> str:
    value = info.default
    return " " if value in (None, (), "", PydanticUndefined) else str(value)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + "---|" * (head.count(" | ") + 1), *body, ""])


def derived(page: str) -> str:
    """The page with every table as the code has it now. Raises `KeyError` for an unknown one."""
    page = EXAMPLE.sub(lambda m: f"{m[1]}{example(m[2])}{m[3]}", page)
    return SECTION.sub(lambda m: f"{m[1]}{table(TABLES[m[2]]())}{m[3]}", page)


def example(name: str) -> str:
    """A program, and what it prints: the comment at its end."""
    program = (EXAMPLES / f"{name}.py").read_text("utf-8")
    program, _, printed = program.rpartition("\n\n# ")
    shown = printed.replace("\n# ", "\n")
    return f"```python\n{program.rstrip()}\n```\n\n```text\n{shown}```\n"


def main() -> None:
    stale = []
    for path in (*PAGES, DECLARATIONS):
        before = path.read_text("utf-8") if path.exists() else ""
        after = typescript.declarations() if path == DECLARATIONS else derived(before)
        if after != before:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(after, "utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(stale)}; run python docs/derive.py")


if __name__ == "__main__":
    main()
