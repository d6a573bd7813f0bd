"""What a REDIS_URL may say."""

import pytest

from chatserver.realtime.bus_redis.address import BadRedisUrl, Topology, parse_address


def test_one_server_with_user_password_and_database() -> None:
    address = parse_address("redis://ada:p%40ss@example.org:7000/3")
    assert address.topology is Topology.SINGLE
    assert address.options["host"] == "example.org"
    assert address.options["port"] == 7000
    assert address.options["db"] == 3
    assert (address.options["username"], address.options["password"]) == ("ada", "p@ss")


def test_sentinels_with_and_without_port_name_a_service() -> None:
    address = parse_address("redis+sentinel://:secret@one:26380,two/chat/2?sentinel_password=other")
    assert address.topology is Topology.SENTINEL
    assert address.hosts == (("one", 26380), ("two", 26379))
    assert address.service == "chat"
    assert address.options == {"password": "secret", "db": 2}
    assert address.sentinel_options == {"password": "other"}


def test_a_cluster_with_tls_and_an_address_of_version_6() -> None:
    address = parse_address("rediss+cluster://[::1]:7001,two:7002")
    assert address.topology is Topology.CLUSTER
    assert address.hosts == (("::1", 7001), ("two", 7002))
    assert address.connection.__name__ == "SSLConnection"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "http://localhost",
        "redis://",
        "redis://:s3cret@/0",
        "redis://:s3cret@host:99999",
        "redis://:s3cret@host:port",
        "redis://:s3cret@host/zero",
        "redis://:s3cret@host?no_such_option=1",
        "unix://",
        "redis+sentinel://:s3cret@host:26379",
        "redis+sentinel://:s3cret@host:0/chat",
        "redis+sentinel://:s3cret@/chat",
        "redis+sentinel://:s3cret@host/chat/1/2",
        "redis+cluster://:s3cret@one,,two",
        "redis+cluster://:s3cret@one/1",
    ],
)
def test_a_wrong_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(BadRedisUrl) as refused:
        parse_address(url)
    assert "s3cret" not in str(refused.value)
