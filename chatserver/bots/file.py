"""The bots file: TOML, one `[[bot]]` table for each bot that a language model speaks for."""

import re
import tomllib
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from chatserver.bots.declaration import ModelBotDeclaration

AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
AT_END = " (at end of document)"
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
"""Capitals only: a key that was pasted in place of its variable's name is refused, not logged."""

Tables = dict[str, Any]


class BadBotsFile(Exception):
    """A bots file that cannot be used.

    `reason` quotes no value but the names of bots: any other might be a secret.
    """

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


def read_bots_file(path: Path, built_in: Collection[str]) -> list[ModelBotDeclaration]:
    """The bots that the file declares, in its order; their fallbacks lead to an end.

    `built_in` are names that are taken, and may be fallbacks. Raises `OSError` or `BadBotsFile`.
    """
    return _BotsFile(path, built_in).declarations()


class _BotsFile:
    def __init__(self, path: Path, built_in: Collection[str]) -> None:
        self._path = path
        self._built_in = built_in
        raw = path.read_bytes()
        try:
            self._text = raw.decode("utf-8").replace("\r\n", "\n")
        except UnicodeDecodeError as failure:
            line = raw.count(b"\n", 0, failure.start) + 1
            raise BadBotsFile(path, line, "this is not UTF-8") from None

    def declarations(self) -> list[ModelBotDeclaration]:
        try:
            document = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as failure:
            raise self._misspelt(str(failure)) from None
        for name in document:
            if name != "bot":
                raise self._bad(partial(_has, name), f"there is no key {name}")
        tables = document.get("bot", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self._bad(partial(_has, "bot"), "a bot begins with [[bot]]")
        declared = [self._declaration(index, table) for index, table in enumerate(tables)]
        self._check_names([bot.name for bot in declared])
        self._check_fallbacks(declared)
        return declared

    def _declaration(self, index: int, table: Tables) -> ModelBotDeclaration:
        variable = table.get("key_variable")
        if variable == "":
            table = {**table, "key_variable": None}
        elif isinstance(variable, str) and not VARIABLE.fullmatch(variable):
            raise self._bad_key(
                index, "key_variable", "takes the name of a variable, in capitals, not the key"
            )
        try:
            return ModelBotDeclaration.model_validate(table)
        except ValidationError as refused:
            # A misspelt key comes first: it may be the one that is missing.
            problems = refused.errors(include_url=False, include_input=False)
            problem = min(problems, key=lambda each: each["type"] != "extra_forbidden")
            key = str(problem["loc"][0])
            match problem["type"]:
                case "extra_forbidden":
                    raise self._bad_key(index, key, "is no key of a bot") from None
                case "missing":
                    raise self._bad_bot(index, f"{key} is missing") from None
                case _:
                    reason = problem["msg"].removeprefix("Value error, ")
                    raise self._bad_key(index, key, reason) from None

    def _check_names(self, names: Sequence[str]) -> None:
        for index, name in enumerate(names):
            if name in self._built_in:
                raise self._bad_key(index, "name", f"{name} is a bot of every server")
            if name in names[:index]:
                raise self._bad_key(index, "name", f"there is another bot {name}")

    def _check_fallbacks(self, declared: Sequence[ModelBotDeclaration]) -> None:
        after = {bot.name: bot.fallback for bot in declared}
        for index, bot in enumerate(declared):
            if bot.fallback is None:
                continue
            if bot.fallback not in after and bot.fallback not in self._built_in:
                raise self._bad_key(index, "fallback", "there is no bot of that name")
            way = [bot.name]
            while (following := after.get(way[-1])) is not None and following not in way:
                way.append(following)
            if following == bot.name:
                circle = " → ".join([*way, following])
                raise self._bad_key(index, "fallback", f"this goes round in a circle: {circle}")

    def _bad_bot(self, index: int, reason: str) -> BadBotsFile:
        return self._bad(lambda tables: len(_bots(tables)) > index, reason)

    def _bad_key(self, index: int, key: str, reason: str) -> BadBotsFile:
        def holds(tables: Tables) -> bool:
            bots = _bots(tables)
            return len(bots) > index and key in bots[index]

        return self._bad(holds, f"{key}: {reason}")

    def _bad(self, holds: Callable[[Tables], bool], reason: str) -> BadBotsFile:
        """Locates the statement with which the document comes to hold something."""
        # Whatever prefix of the lines is valid TOML ends with a whole statement. This needs no
        # parser of our own to see through strings of several lines and quoted keys.
        lines, begin = self._text.split("\n"), 1
        for end in range(1, len(lines) + 1):
            try:
                tables = tomllib.loads("\n".join(lines[:end]))
            except tomllib.TOMLDecodeError:
                continue
            if holds(tables):
                return BadBotsFile(self._path, begin, reason)
            begin = end + 1
        raise AssertionError("the whole document holds it")

    def _misspelt(self, message: str) -> BadBotsFile:
        found = AT_LINE.search(message)
        line = int(found[1]) if found else len(self._text.rstrip().split("\n"))
        reason = AT_LINE.sub("", message).removesuffix(AT_END)
        return BadBotsFile(self._path, line, f"this is not TOML: {reason}")


def _has(name: str, tables: Tables) -> bool:
    return name in tables


def _bots(tables: Tables) -> list[Any]:
    bots: list[Any] = tables.get("bot", [])
    return bots
