"""What a request gives besides its body, as text."""

from aiohttp import hdrs, web

from chatserver.chat.errors import InvalidPayload
from chatserver.chat.models import Model
from chatserver.gateways.rest.refusals import TokenMissing


def bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.casefold() != "bearer" or not token.strip():
        raise TokenMissing("a bearer token is needed")
    return token.strip()


def query_of(request: web.Request) -> dict[str, str]:
    query = request.query
    for name in query:
        if len(query.getall(name)) > 1:
            raise InvalidPayload("a parameter may be given once", field=name[:100])
    return dict(query)


def headers_of(request: web.Request, model: type[Model]) -> dict[str, str]:
    names = [info.alias or name for name, info in model.model_fields.items()]
    found = {name: request.headers.getall(name, ()) for name in names}
    for name, values in found.items():
        if len(values) > 1:
            raise InvalidPayload("a header may be given once", field=name)
    return {name: values[0] for name, values in found.items() if values}
