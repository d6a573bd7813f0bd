"""The bots file: what it declares, and where it is wrong."""

from pathlib import Path

import pytest

from chatserver.bots.file import BadBotsFile, read_bots_file

BUILT_IN = ("corpus", "echo")
WHOLE = """\
# who answers here

[[bot]]
name = "gpt"
model = "small"
prompt = '''
Not a table:
[[bot]]
window = 7
'''

[[bot]]
name = "llama"
base_url = "http://127.0.0.1:11434/v1"
key_variable = ""
model = "llama3.2"
prompt = "Be brief."
fallback = "echo"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bots.toml"


def bad(path: Path, text: str | bytes) -> BadBotsFile:
    """How the file is refused."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadBotsFile) as refused:
        read_bots_file(path, BUILT_IN)
    assert str(refused.value) == f"{path}, line {refused.value.line}: {refused.value.reason}"
    return refused.value


def test_every_table_declares_a_bot(path: Path) -> None:
    path.write_text(WHOLE)
    gpt, llama = read_bots_file(path, BUILT_IN)
    assert (gpt.name, gpt.model, gpt.key_variable) == ("gpt", "small", "OPENAI_API_KEY")
    assert str(gpt.base_url) == "https://api.openai.com/v1"
    assert (llama.name, llama.fallback, llama.prompt) == ("llama", "echo", "Be brief.")
    assert llama.key_variable is None, "a blank name says that no key is needed"


def test_a_file_without_a_table_declares_nobody(path: Path) -> None:
    path.write_text("# later\n")
    assert read_bots_file(path, BUILT_IN) == []


def test_a_file_that_is_not_there_is_an_error_of_the_system(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bots_file(path, BUILT_IN)


@pytest.mark.parametrize(
    ("before", "after", "line", "reason"),
    [
        ("window = 7\n'''", "'''\nwindows = 7", 10, "windows: is no key of a bot"),
        ('prompt = "Be', 'promt = "Be', 17, "promt: is no key of a bot"),
        ('prompt = "Be brief."\n', "", 12, "prompt is missing"),
        ('model = "small"', 'model = " "', 5, "model: may not be blank"),
        ('"http://127.0.0.1:11434/v1"', '"localhost"', 14, "base_url: Input should be a valid URL"),
        ('"http://127.0.0.1:11434/v1"', '"ftp://x/"', 14, "base_url: URL scheme should be"),
        ('"llama"', '"Llama 3"', 13, "name: String should match"),
        ('"llama"', '"gpt"', 13, "name: there is another bot gpt"),
        ('"gpt"', '"corpus"', 4, "name: corpus is a bot of every server"),
        ('"echo"', '"hal"', 18, "fallback: there is no bot of that name"),
        ('"echo"', '"llama"', 18, "fallback: this goes round in a circle: llama → llama"),
        ('fallback = "echo"', "window = 0", 18, "window: Input should be greater than or equal"),
        ('fallback = "echo"', "context_tokens = 0", 18, "context_tokens: Input should be greater"),
        (
            'fallback = "echo"',
            'remember = "maybe"',
            18,
            "remember: Input should be a valid boolean",
        ),
        ('fallback = "echo"', "retries = 'x'", 18, "retries: Input should be a valid integer"),
        ('fallback = "echo"', '"adapter" = "other"', 18, "adapter: Input should be 'openai'"),
        ("[[bot]]\nname", "[bots]\n[[bot]]\nname", 3, "there is no key bots"),
        ("# who answers here", "model = 'x'", 1, "there is no key model"),
        ('name = "llama"', "name = llama", 13, "this is not TOML"),
        ('prompt = "Be brief."', 'prompt = "Be brief', 17, "this is not TOML"),
        ('"Be brief."', "'''Be brief.", 18, "this is not TOML"),
        ('model = "llama3.2"', 'name = "llama"', 16, "this is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    path: Path, before: str, after: str, line: int, reason: str
) -> None:
    assert before in WHOLE
    for text in (WHOLE, WHOLE.replace("\n", "\r\n")):
        ends = "\r\n" if "\r\n" in text else "\n"
        changed = text.replace(before.replace("\n", ends), after.replace("\n", ends), 1)
        refused = bad(path, changed)
        assert (refused.line, refused.path) == (line, path)
        assert reason in refused.reason


def test_fallbacks_that_go_round_in_a_circle_are_refused(path: Path) -> None:
    bots = "".join(
        f'[[bot]]\nname = "{name}"\nmodel = "m"\nprompt = "p"\nfallback = "{after}"\n'
        for name, after in [("d", "a"), ("a", "b"), ("b", "c"), ("c", "a")]
    )
    refused = bad(path, bots)
    assert (refused.line, refused.reason) == (
        10,
        "fallback: this goes round in a circle: a → b → c → a",
    )


def test_a_single_bracket_is_explained(path: Path) -> None:
    assert bad(path, '[bot]\nname = "a"\n').reason == "a bot begins with [[bot]]"


def test_tables_on_one_line_are_read_as_well(path: Path) -> None:
    path.write_text("bot = [{name = 'a', model = 'm', prompt = 'p'}]")
    assert [bot.name for bot in read_bots_file(path, BUILT_IN)] == ["a"]
    assert bad(path, "\nbot = [\n{name = 'a', model = 'm'},\n]").line == 2


def test_text_that_is_not_utf_8_is_refused_with_its_line(path: Path) -> None:
    refused = bad(path, WHOLE.encode() + b"# \xff\n")
    assert (refused.line, refused.reason) == (19, "this is not UTF-8")


@pytest.mark.parametrize(
    "line", ['key_variable = "SECRET-x"', 'key_variable = "hf_SECRETx"', 'key = "SECRET-x"']
)
def test_a_key_in_the_file_is_refused_and_not_quoted(path: Path, line: str) -> None:
    refused = bad(path, WHOLE.replace('key_variable = ""', line))
    assert refused.line == 15
    assert "SECRET" not in str(refused)
