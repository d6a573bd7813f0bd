import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.addresses import UNKNOWN, client_address, parse_networks, subscriber

PROXIES = parse_networks(["10.0.0.0/8", "192.0.2.7", "fd00::/8"])


def test_without_trusted_proxies_the_header_is_never_believed() -> None:
    assert client_address("203.0.113.5", "198.51.100.1", ()) == "203.0.113.5"


def test_a_header_from_an_untrusted_peer_is_ignored() -> None:
    assert client_address("203.0.113.5", "198.51.100.1", PROXIES) == "203.0.113.5"


def test_a_trusted_proxy_tells_who_spoke_to_it() -> None:
    assert client_address("10.1.2.3", "198.51.100.1", PROXIES) == "198.51.100.1"


def test_what_a_client_wrote_left_of_its_own_address_is_ignored() -> None:
    invented = "127.0.0.1, 10.9.9.9, 198.51.100.1"
    assert client_address("10.1.2.3", invented, PROXIES) == "198.51.100.1"


def test_a_chain_of_trusted_proxies_is_followed_to_its_start() -> None:
    assert client_address("10.0.0.1", "198.51.100.1, 192.0.2.7", PROXIES) == "198.51.100.1"


def test_when_all_hops_are_trusted_the_furthest_one_counts() -> None:
    assert client_address("10.0.0.1", "10.0.0.3, 10.0.0.2", PROXIES) == "10.0.0.3"


@pytest.mark.parametrize("header", [None, "", "unknown", "_hidden", "198.51.100.1, ", "1.2.3"])
def test_without_a_readable_entry_the_proxy_itself_counts(header: str | None) -> None:
    assert client_address("10.0.0.1", header, PROXIES) == "10.0.0.1"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("198.51.100.1:4711", "198.51.100.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ('"[2001:db8::1]"', "2001:db8::1"),
    ],
)
def test_ports_brackets_and_spellings_do_not_matter(written: str, address: str) -> None:
    assert client_address("fd00::1", written, PROXIES) == address


def test_a_mapped_ipv4_peer_is_matched_by_an_ipv4_network() -> None:
    assert client_address("::ffff:10.0.0.1", "198.51.100.1", PROXIES) == "198.51.100.1"


@pytest.mark.parametrize("remote", [None, "", "/run/socket"])
def test_a_peer_without_an_address_is_unknown(remote: str | None) -> None:
    assert client_address(remote, "198.51.100.1", PROXIES) == UNKNOWN


@given(remote=st.text(max_size=40), header=st.text(max_size=200))
def test_no_header_makes_it_fail(remote: str, header: str) -> None:
    client_address(remote, header, PROXIES)
    client_address("10.0.0.1", header, PROXIES)
    subscriber(header)


def test_an_ipv6_host_is_counted_with_its_whole_network() -> None:
    assert subscriber("2001:db8::1") == subscriber("2001:db8::ffff:1") == "2001:db8::/64"
    assert subscriber("2001:db8:0:1::1") != subscriber("2001:db8::1")
    assert subscriber("198.51.100.1") == "198.51.100.1"
    assert subscriber(UNKNOWN) == UNKNOWN


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match="proxy"):
        parse_networks(["proxy"])
