"""Servers behind each of the load balancers that we document."""

import pytest

from tests.fleet import BALANCERS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", BALANCERS)


@pytest.fixture
def backend(kind: str) -> str:
    return f"{kind}-3"
