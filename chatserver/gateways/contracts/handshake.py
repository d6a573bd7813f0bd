"""What is exchanged before there are events: the packets that open a connection or refuse it."""

from pydantic import ConfigDict

from chatserver.chat.models import Model
from chatserver.gateways.contracts.errors import ErrorBody


class ConnectAuth(Model):
    """The `auth` that a client connects with. Whatever else it holds is not looked at."""

    model_config = ConfigDict(extra="ignore")

    token: str


class ConnectRefused(Model):
    """A `connect_error`."""

    message: str
    data: ErrorBody
