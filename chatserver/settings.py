"""All settings; the only reader of the environment and of `.env`.

Every field is an environment variable of the same name, in capitals, after `CHATSERVER_`
(`CHATSERVER_PORT=9000`); those that other programs know as well (`DATABASE_URL`, `REDIS_URL`,
`OPENAI_API_KEY`…) are read without the prefix too, where the one with it is not given.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, HttpUrl, PrivateAttr, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chatserver.chat.limits import Limits

DEFAULTS = Limits()
ENV_FILE = Path(".env")
BOTS_FILE = Path("bots.toml")


def _names(name: str, bare: str) -> AliasChoices:
    # In this order, for case does not count: the field's own name would be the bare variable.
    return AliasChoices(f"CHATSERVER_{bare}", bare, name)


def _bots_file_here() -> Path | None:
    return BOTS_FILE if BOTS_FILE.exists() else None


class Settings(BaseSettings):
    """What an operator can decide. Secrets are shown nowhere: see `secret`."""

    model_config = SettingsConfigDict(
        env_prefix="CHATSERVER_",
        env_file=ENV_FILE,
        extra="ignore",
        populate_by_name=True,
        frozen=True,
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(
        8000,
        ge=0,
        le=65535,
        validation_alias=_names("port", "PORT"),
        description="port to listen on; 0 takes a free one",
    )
    worker_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="port where `chatserver worker` answers `/healthz`, `/readyz` and `/metrics`; "
        "not given: nowhere",
    )
    database_url: str = Field(
        "sqlite:///chatserver.db",
        validation_alias=_names("database_url", "DATABASE_URL"),
        description="where everything is stored: `sqlite:///FILE`, or "
        "`postgresql://USER:PASSWORD@HOST/DATABASE` for several instances",
    )
    database_connections: int = Field(
        10,
        ge=1,
        le=1_000,
        description="connections to PostgreSQL for transactions and reads; up to 5 more append "
        "messages",
    )
    database_statement_seconds: float = Field(
        10.0,
        gt=0,
        description="a statement of PostgreSQL that takes longer is cancelled, a server that is "
        "silent for longer given up, and a frozen instance's locks freed (`unavailable`)",
    )
    database_lock_seconds: float = Field(
        5.0,
        gt=0,
        description="longest wait for what another instance is changing (`unavailable`)",
    )
    database_patience_seconds: float = Field(
        5.0,
        gt=0,
        description="how long a lost connection to PostgreSQL is tried again, and a free one "
        "waited for, before a request fails (`unavailable`)",
    )
    migrate: bool = Field(
        True,
        description="programs bring an older database up to date as they start; false: they refuse "
        "it, and `chatserver migrate` alone changes it",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias=_names("redis_url", "REDIS_URL"),
        description="what instances share broadcasts over: `redis://`, `rediss://` (TLS), "
        "`unix://`, `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE`, `redis+cluster://HOST:PORT`; "
        "not given: this is the only instance",
    )
    redis_prefix: str = Field(
        "chatserver",
        pattern=r"^[\w.-]{1,64}$",
        description="begins the names of all channels; instances of one system share it",
    )
    instance_name: str = Field(
        "",
        pattern=r"^[\w-]{0,32}$",
        description="begins the ids of connections, so that load balancers bring long-polling "
        "requests back here; see [behind a load balancer](docs/operations.md)",
    )
    app_name: str = Field("chatserver", max_length=60, description="the name that pages show")
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="`text`, `json`, or `auto`: text on a terminal, JSON elsewhere"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level"
    )

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="other origins whose pages may connect, separated by commas"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="addresses or networks whose X-Forwarded-For is believed, separated by commas",
    )

    guests: Literal["off", "private", "shared"] = Field(
        "off",
        description="people without a token at the plain doors: `private` gives each connection to "
        "`/chat` a session that ends with it, `shared` leads all to one room; either also opens "
        "`/ws/NAME` and `/chats` to them",
    )
    rasa_namespace: bool = Field(
        True, description="answers web widgets that were made for Rasa, on the namespace `/`"
    )
    thinking_notice: str = Field(
        "",
        max_length=200,
        description="what a plain WebSocket is told when a bot begins to think; empty: nothing",
    )

    default_bot: str | None = Field(
        "corpus",
        description="the bot of a session whose creator named none; empty: nobody answers; where "
        "not given, a bot that the variables below declare comes before `corpus`",
    )
    bots_file: Path | None = Field(
        default_factory=_bots_file_here,
        description="the bots that language models speak for, see [bots](docs/bots.md); "
        "`bots.toml` where there is one",
    )
    summary_bot: str | None = Field(
        None,
        description="the bot whose model writes summaries and titles; where not given, the default "
        "bot if a model speaks for it and its key is there; empty: they are made without a model",
    )
    summary_seconds: float = Field(
        20.0, gt=0, description="longest a summary waits for a model and is written; so for titles"
    )
    summaries_per_participant_hour: int = Field(
        20,
        ge=0,
        description="summaries that a model writes for somebody in an hour; those beyond are made "
        "without it; 0: no limit",
    )
    titles: bool = Field(
        True, description="sessions without a title get one after the first answer"
    )
    openai_key: SecretStr | None = Field(
        None,
        validation_alias=_names("openai_key", "OPENAI_API_KEY"),
        description="declares the bot `gpt` where there is no bots file",
    )
    openai_base_url: HttpUrl | None = Field(
        None,
        validation_alias=_names("openai_base_url", "OPENAI_BASE_URL"),
        description="its endpoint; OpenAI's where not given",
    )
    openai_model: str = Field(
        "gpt-5.4-mini",
        pattern=r"\S",
        validation_alias=_names("openai_model", "OPENAI_MODEL"),
        description="its model",
    )
    hugging_face_model: str | None = Field(
        None,
        validation_alias=_names("hugging_face_model", "MODEL_ID"),
        description="declares the bot `huggingface`, with a model of the Hugging Face router, "
        "where there is no bots file",
    )
    hugging_face_key: SecretStr | None = Field(
        None,
        validation_alias=_names("hugging_face_key", "HUGGINGFACE_API_TOKEN"),
        description="its key",
    )
    corpus_file: Path | None = Field(
        None, description="the lines that the `corpus` bot draws from; our own text where not given"
    )
    words_per_second: float = Field(25.0, gt=0, description="pace of the `corpus` and `echo` bots")
    context_messages: int = Field(
        4,
        ge=1,
        le=200,
        description="messages that a bot gets to see; one of a bots file has its own `window`",
    )
    replies_concurrency: int = Field(
        100,
        ge=0,
        le=10_000,
        description="replies that run at the same time in this process (`--replies`); 0: none, "
        "they wait for a `chatserver worker`",
    )
    reply_lease_seconds: float = Field(
        8.0, gt=1, description="a reply whose worker fell silent is taken over after this"
    )
    reply_takeovers: int = Field(
        3, ge=1, description="workers that may die over one reply before it fails for good"
    )
    reply_seconds: float = Field(120.0, gt=0, description="longest a reply may take")
    reply_chars: int = Field(32_000, ge=1, description="longest reply; what exceeds it is cut off")

    token_seconds: int = Field(
        DEFAULTS.token_seconds, ge=1, description="life of a token; renewing starts it anew"
    )
    text_chars: int = Field(
        DEFAULTS.text_chars, ge=1, description="longest message, in characters (`text_too_long`)"
    )
    sessions_per_participant: int = Field(
        DEFAULTS.sessions_per_participant,
        ge=1,
        description="sessions somebody may be a member of (`too_many_sessions`)",
    )
    members_per_session: int = Field(
        DEFAULTS.members_per_session,
        ge=2,
        description="members of one session, bots included (`session_full`)",
    )
    bots_per_session: int = Field(
        DEFAULTS.bots_per_session, ge=1, description="bots of one session (`too_many_bots`)"
    )
    invites_per_session: int = Field(
        DEFAULTS.invites_per_session,
        ge=1,
        description="working invite codes of one session (`too_many_invites`)",
    )
    queued_replies_per_participant: int = Field(
        DEFAULTS.queued_replies_per_participant,
        ge=1,
        description="replies that wait or run for one who asked for them (`busy`)",
    )
    queued_replies: int = Field(
        DEFAULTS.queued_replies,
        ge=1,
        description="replies of all sessions that wait or run (`busy`)",
    )
    queued_replies_per_session: int = Field(
        DEFAULTS.queued_replies_per_session,
        ge=1,
        description="replies that wait or run in one session (`busy`)",
    )
    running_replies_per_participant: int = Field(
        DEFAULTS.running_replies_per_participant,
        ge=0,
        description="replies that run at once for who asked for them; more wait; 0: no limit",
    )
    tokens_per_participant_day: int = Field(
        DEFAULTS.tokens_per_participant_day,
        ge=0,
        description="tokens that somebody's replies may use in a day (UTC), prompts included; 0: "
        "no limit",
    )
    replies_per_participant_day: int = Field(
        DEFAULTS.replies_per_participant_day,
        ge=0,
        description="replies that one may ask for in a day, UTC (`quota_exceeded`); 0: no limit",
    )

    frame_bytes: int = Field(
        65_536, ge=1024, description="largest frame or request body (`payload_too_large`)"
    )
    json_depth: int = Field(32, ge=4, description="deepest nesting (`payload_too_deep`)")
    events_per_second: float = Field(
        20.0, gt=0, description="events of one connection, sustained (`rate_limited`)"
    )
    events_burst: int = Field(60, ge=1, description="events of one connection at once")
    slow_events: int = Field(
        8, ge=1, description="unanswered summaries of one connection (`too_many_in_flight`)"
    )
    rooms_per_connection: int = Field(
        250, ge=1, description="rooms that one connection may be in (`too_many_sessions`)"
    )
    connections_per_address: int = Field(
        200, ge=1, description="connections from one address (`too_many_connections`)"
    )
    connections: int = Field(
        20_000, ge=1, description="connections of this process (`too_many_connections`)"
    )
    authenticate_seconds: float = Field(
        10.0, gt=0, description="a connection that has not authenticated by then is closed"
    )
    unsent_bytes: int = Field(
        1_048_576,
        ge=65_536,
        description="bytes waiting for one client after which it is cut off; it recovers by seq",
    )
    compress_bytes: int = Field(
        0,
        ge=0,
        description="frames of so many bytes or more are compressed for WebSocket clients that "
        "offer it; 0: none (who sends compressed frames then costs 40 KB of memory)",
    )
    payload_packets: int = Field(
        1_000, ge=1, description="packets in one request of a long-polling client"
    )
    tokens_per_minute: int = Field(
        60, ge=1, description="tokens that one address may get in a minute (`rate_limited`)"
    )
    requests_per_second: float = Field(
        50.0,
        gt=0,
        description="REST requests of one participant (without a token: of one address), "
        "sustained (`rate_limited`)",
    )
    ping_interval_seconds: float = Field(25.0, gt=0, description="heartbeat of idle connections")
    ping_timeout_seconds: float = Field(20.0, gt=0, description="silence after which it is closed")
    http_idle_seconds: float = Field(
        75.0, gt=0, description="HTTP connections without a whole request for so long are closed"
    )
    drain_notice_seconds: float = Field(
        0.0,
        ge=0,
        description="how long, after SIGTERM, all goes on while `/readyz` says 503; behind a load "
        "balancer, longer than it takes to notice",
    )
    drain_seconds: float = Field(
        10.0, ge=0, description="longest that SIGTERM waits for requests under way"
    )
    reconnect_after_ms: int = Field(
        500, ge=0, description="least delay that a draining server asks its clients for"
    )
    reconnects_per_second: float = Field(
        1000.0,
        gt=0,
        description="clients of a draining server that it lets come back in a second",
    )

    _variables: dict[str, SecretStr] = PrivateAttr(default_factory=dict)

    def __init__(self, *, _env_file: Path | None = ENV_FILE, **given: Any) -> None:
        super().__init__(_env_file=_env_file, **given)
        in_file = dotenv_values(_env_file) if _env_file is not None else {}
        self._variables = {
            name: SecretStr(value)
            for name, value in {**in_file, **os.environ}.items()
            if value is not None and value.strip()
        }

    @field_validator("allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "default_bot",
        "bots_file",
        "summary_bot",
        "openai_key",
        "openai_base_url",
        "hugging_face_model",
        "hugging_face_key",
        "redis_url",
        "worker_port",
        mode="before",
    )
    @classmethod
    def _none_where_empty(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    def secret(self, variable: str) -> str | None:
        """The value of any variable of the environment or of `.env`, by its exact name.

        None where it is not set, or blank. The environment comes first.
        """
        own = {"OPENAI_API_KEY": self.openai_key, "HUGGINGFACE_API_TOKEN": self.hugging_face_key}
        found = own.get(variable) or self._variables.get(variable)
        return found.get_secret_value().strip() if found is not None else None

    def limits(self) -> Limits:
        """The bounds that the domain keeps."""
        return Limits(
            text_chars=self.text_chars,
            sessions_per_participant=self.sessions_per_participant,
            members_per_session=self.members_per_session,
            bots_per_session=self.bots_per_session,
            invites_per_session=self.invites_per_session,
            queued_replies=self.queued_replies,
            queued_replies_per_participant=self.queued_replies_per_participant,
            queued_replies_per_session=self.queued_replies_per_session,
            running_replies_per_participant=self.running_replies_per_participant,
            replies_per_participant_day=self.replies_per_participant_day,
            tokens_per_participant_day=self.tokens_per_participant_day,
            token_seconds=self.token_seconds,
        )
