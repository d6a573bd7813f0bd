from tests.integration.rest.world import Api

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}


async def test_an_allowed_origin_may_ask_and_read(anonymous: Api) -> None:
    asked = await anonymous.call("OPTIONS", "/tokens", headers=PREFLIGHT | {"Origin": FRIEND})
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    allowed = asked.headers["Access-Control-Allow-Headers"].split(", ")
    assert allowed == ["Authorization", "Cache-Control", "Content-Type", "Last-Event-ID"]
    issued = await anonymous.post("/tokens", {"name": "Ada"}, headers={"Origin": FRIEND})
    assert issued.headers["Access-Control-Allow-Origin"] == FRIEND
    assert issued.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in issued.headers


async def test_an_allowed_origin_may_read_errors_as_well(anonymous: Api) -> None:
    for path in ("/me", "/nothing"):
        refused = await anonymous.get(path, headers={"Origin": FRIEND})
        assert refused.headers["Access-Control-Allow-Origin"] == FRIEND


async def test_another_origin_gets_no_permission(anonymous: Api) -> None:
    for origin in (STRANGER, "null", FRIEND + ".evil.example", "http://friend.example"):
        asked = await anonymous.call("OPTIONS", "/tokens", headers=PREFLIGHT | {"Origin": origin})
        answered = await anonymous.get("/openapi.json", headers={"Origin": origin})
        for response in (asked, answered):
            assert not [name for name in response.headers if name.startswith("Access-Control")]
            assert response.headers["Vary"] == "Origin"
