"""A server that is not on this machine is loaded only where its owner says so."""

import pytest

from chatserver.loadtest import LoadError, Target


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://127.8.9.1", "http://[::1]:9", "http://localhost:1"]
)
def test_loopback_addresses_are_accepted(url: str) -> None:
    assert Target.parse(url).base.startswith("http://")


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1", "http://0.0.0.0:80", "http://[2001:db8::1]", "https://10.0.0.1"]
)
def test_other_addresses_are_refused_unless_owned(url: str) -> None:
    with pytest.raises(LoadError, match="--i-own-this-server") as refused:
        Target.parse(url)
    assert refused.value.code == "not_loopback"
    assert Target.parse(url, i_own_this_server=True).port in (80, 443)


def test_a_name_with_one_address_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (address, 80)) for address in ("127.0.0.1", "192.0.2.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(LoadError):
        Target.parse("http://two-faced.test")


def test_the_checked_address_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("127.0.0.1", 80))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    target = Target.parse("http://changes-its-mind.test:81")
    assert target.base == "http://127.0.0.1:81"
    assert (target.host, target.name) == ("changes-its-mind.test:81", "changes-its-mind.test")


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1/x"])
def test_what_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(LoadError):
        Target.parse(url)
