"""Commands as the server reads them (RESP, https://redis.io/docs/latest/develop/reference/protocol-spec)."""


def command(*parts: bytes) -> bytes:
    out = b"*%d\r\n" % len(parts)
    for part in parts:
        out += b"$%d\r\n%b\r\n" % (len(part), part)
    return out
