"""What an operator says of a bot that a language model speaks for."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, model_validator

from chatserver.chat.memory import BATCH

MOST_MESSAGES = 200
"""No bot is shown more."""


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("may not be blank")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class ModelBotDeclaration(BaseModel):
    """One entry of the bots file. A secret is never in it: only the name of its variable."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    """How people address it: `@name`."""
    adapter: Literal["openai"] = "openai"
    """Any endpoint that speaks OpenAI's chat completions."""
    description: str = ""
    """What people are told of it; where not given, the name of its model."""
    model: Text
    """The model's name at the endpoint."""
    base_url: HttpUrl = HttpUrl("https://api.openai.com/v1")
    """The endpoint, up to what comes before `/chat/completions`."""
    key_variable: str | None = "OPENAI_API_KEY"
    """The environment variable that holds the key; none, `""` in the file: the endpoint needs no
    key."""
    prompt: Text
    """The system prompt."""
    window: Annotated[int, Field(ge=1, le=MOST_MESSAGES)] = 4
    """How many of the newest messages the model sees; with `context_tokens` at most so many, 200
    where not given."""
    context_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """How many tokens the system prompt and the messages may have, estimated; leave room for the
    answer."""
    remember: bool = False
    """Whether it has older messages summed up by its model, and is shown that as well."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """How freely the model chooses, 0 to 2; where not given, as the endpoint has it."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """The longest answer, in the model's tokens; where not given, as the endpoint has it."""
    connect_seconds: Seconds = 5.0
    """For the connection to the endpoint."""
    first_token_seconds: Seconds = 30.0
    """From the request to the first piece, of the answer or of the reasoning before it."""
    idle_seconds: Seconds = 20.0
    """Between two pieces."""
    total_seconds: Seconds = 300.0
    """The whole answer, further attempts included."""
    retries: Annotated[int, Field(ge=0, le=5)] = 2
    """Further attempts before the first token; after it there is none."""
    fallback: str | None = None
    """The bot that answers in its place where this one fails before its first token."""

    @property
    def most_shown(self) -> int:
        """How many messages the model may get to see: until they are a batch, those that a bot is
        to remember are shown beyond its window."""
        return min(MOST_MESSAGES, self.window + BATCH) if self.remember else self.window

    @model_validator(mode="before")
    @classmethod
    def _leave_it_to_the_budget(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("context_tokens") is not None:
            return {"window": MOST_MESSAGES, **given}
        return given
