"""Secrets and declared bots, as the environment and `.env` give them."""

from pathlib import Path
from typing import Any

import pytest

from chatserver.bot_settings import (
    UnknownSummaryBot,
    declared_bots,
    default_bot,
    summary_bot,
    windows,
)
from chatserver.settings import Settings
from tests.processes import OURS


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of its own, without the variables of the machine."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("CHATSERVER_DEFAULT_BOT", raising=False)
    monkeypatch.delenv("CHATSERVER_BOTS_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(settings: Settings) -> tuple[list[str], str | None]:
    """The declared bots, and the default."""
    declared = declared_bots(settings)
    return [bot.name for bot in declared], default_bot(settings, declared)


def test_summaries_are_written_by_the_default_bot_where_a_model_speaks_for_it(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writer(**given: Any) -> str | None:
        settings = Settings(**given)
        bot = summary_bot(settings, declared_bots(settings))
        return None if bot is None else bot.name

    assert writer() is None
    assert writer(openai_key="sesame") == "gpt"
    assert writer(openai_key="sesame", default_bot="echo") is None
    assert writer(openai_key="sesame", default_bot="echo", summary_bot="gpt") == "gpt"
    assert writer(openai_key="sesame", summary_bot="") is None
    assert writer(hugging_face_model="org/model") is None, "its key is missing"
    (alone / "bots.toml").write_text(
        '[[bot]]\nname = "local"\nmodel = "m"\nprompt = "p"\nkey_variable = ""\n'
    )
    assert writer() is None
    assert writer(default_bot="local") == "local"
    for unknown in ("corpus", "hal"):
        with pytest.raises(UnknownSummaryBot):
            writer(summary_bot=unknown)


def test_a_secret_is_looked_up_in_the_environment_and_then_in_the_file(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alone / ".env").write_text("LLAMA_KEY=file\nBOTH=file\nBLANK= \nOPENAI_API_KEY=file\n")
    monkeypatch.setenv("BOTH", "environment")
    settings = Settings()
    assert settings.secret("LLAMA_KEY") == "file"
    assert settings.secret("BOTH") == "environment"
    assert settings.secret("OPENAI_API_KEY") == "file"
    assert settings.secret("BLANK") is None
    assert settings.secret("NOWHERE") is None
    assert Settings(_env_file=None).secret("LLAMA_KEY") is None


def test_no_secret_is_shown(alone: Path) -> None:
    (alone / ".env").write_text(
        "OPENAI_API_KEY=sesame1\nHUGGINGFACE_API_TOKEN=sesame2\nLLAMA_KEY=sesame3\n"
    )
    settings = Settings()
    for number, name in enumerate(["OPENAI_API_KEY", "HUGGINGFACE_API_TOKEN", "LLAMA_KEY"], 1):
        assert settings.secret(name) == f"sesame{number}"
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(vars(settings))]
    shown += [repr(settings.__pydantic_private__), repr(settings.model_dump())]
    assert "sesame" not in "".join(shown)


def test_without_a_key_nobody_is_declared_and_corpus_is_the_default() -> None:
    assert names(Settings()) == ([], "corpus")
    assert names(Settings(openai_key="", hugging_face_key=" ")) == ([], "corpus")


def test_a_key_of_openai_declares_a_bot_which_becomes_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    settings = Settings()
    assert names(settings) == (["gpt"], "gpt")
    (gpt,) = declared_bots(settings)
    assert (gpt.key_variable, str(gpt.base_url)) == (
        "OPENAI_API_KEY",
        "https://api.openai.com/v1",
    )
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_MODEL", "tiny")
    (gpt,) = declared_bots(Settings())
    assert (str(gpt.base_url), gpt.model) == ("http://127.0.0.1:9/v1", "tiny")


def test_a_model_id_declares_a_bot_of_hugging_face_with_or_without_a_key(alone: Path) -> None:
    (alone / ".env").write_text("MODEL_ID=org/model\n")
    settings = Settings()
    assert names(settings) == (["huggingface"], "huggingface")
    (bot,) = declared_bots(settings)
    assert (bot.model, bot.window, bot.key_variable) == ("org/model", 4, "HUGGINGFACE_API_TOKEN")
    assert str(bot.base_url) == "https://router.huggingface.co/v1"
    assert settings.secret("HUGGINGFACE_API_TOKEN") is None
    (alone / ".env").write_text("MODEL_ID=org/model\nHUGGINGFACE_API_TOKEN=sesame\n")
    assert Settings().secret("HUGGINGFACE_API_TOKEN") == "sesame"


@pytest.mark.parametrize(
    ("chosen", "default"), [("echo", "echo"), ("", None), ("corpus", "corpus")]
)
def test_a_default_that_was_chosen_stays(
    monkeypatch: pytest.MonkeyPatch, chosen: str, default: str | None
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    monkeypatch.setenv("CHATSERVER_DEFAULT_BOT", chosen)
    assert names(Settings()) == (["gpt"], default)


def test_a_bots_file_in_the_working_directory_is_used_and_alone_declares(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    (alone / "bots.toml").write_text('[[bot]]\nname = "a"\nmodel = "m"\nprompt = "p"\n')
    assert names(Settings()) == (["a"], "corpus")
    monkeypatch.setenv("CHATSERVER_BOTS_FILE", "")
    assert names(Settings()) == (["gpt"], "gpt")
    (alone / "others.toml").write_text('[[bot]]\nname = "b"\nmodel = "m"\nprompt = "p"\n')
    monkeypatch.setenv("CHATSERVER_BOTS_FILE", "others.toml")
    assert names(Settings()) == (["b"], "corpus")


def test_each_bot_reads_as_many_messages_as_it_and_its_fallbacks_need(alone: Path) -> None:
    (alone / "bots.toml").write_text(
        "".join(
            f'[[bot]]\nname = "{name}"\nmodel = "m"\nprompt = "p"\n{more}\n'
            for name, more in [
                ("small", "window = 2"),
                ("careful", 'window = 3\nfallback = "small"'),
                ("helped", 'window = 2\nfallback = "careful"'),
                ("offline", 'window = 2\nfallback = "echo"'),
                ("large", "context_tokens = 8000"),
                ("narrow", "context_tokens = 8000\nwindow = 20"),
                ("remembers", "window = 6\nremember = true"),
                ("remembers-all", "context_tokens = 8000\nremember = true"),
            ]
        )
    )
    settings = Settings(context_messages=5)
    window = windows(settings, declared_bots(settings))
    read = {"small": 2, "careful": 3, "helped": 3, "offline": 5, "large": 200, "narrow": 20}
    read |= {"remembers": 16, "remembers-all": 200, "echo": 5}
    assert {name: window(name) for name in read} == read


def test_the_port_that_a_platform_gives_is_taken_unless_ours_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHATSERVER_PORT", raising=False)
    monkeypatch.setenv("PORT", "5001")
    assert Settings().port == 5001
    assert Settings().worker_port is None, "several workers of one machine share the variable"
    monkeypatch.setenv("CHATSERVER_PORT", "9000")
    assert Settings().port == 9000
    assert Settings(port=8001).port == 8001
