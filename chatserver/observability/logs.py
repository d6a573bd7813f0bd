"""Structured logs: text on a terminal, JSON elsewhere. Never message text, never a token."""

import logging
import sys
from typing import TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError

# Local variables hold tokens and what people wrote.
TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)

MODEL_CLIENTS = ("openai", "httpx2", "aiohttp.client")
"""Loggers of the libraries that ask models."""


class PeersMistakes(logging.Filter):
    """Keeps out what is not HTTP: whoever sent it was told, and the parser's words quote it."""

    def filter(self, record: logging.LogRecord) -> bool:
        failure = record.exc_info[1] if record.exc_info else None
        return not isinstance(failure, HttpProcessingError)


PEERS_MISTAKES = PeersMistakes()


def configure_logs(log_format: str, level: str, stream: TextIO = sys.stderr) -> None:
    """Sends everything, that of libraries included, through one formatter to `stream`."""
    as_text = log_format == "text" or (log_format == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if as_text
        else [TRACEBACKS, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # These log every packet or every request line at "info" or below, message texts among them.
    for noisy in ("engineio", "socketio", "aiohttp.access", "alembic", *MODEL_CLIENTS):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of subprotocols that nobody speaks: clients send their tokens as such.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.server").addFilter(PEERS_MISTAKES)
