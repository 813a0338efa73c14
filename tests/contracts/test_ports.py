"""The ports can be asked for at run time: what fits by shape is an instance, and what lacks a method is not."""

import pytest

from ordermill.kit.ports import CacheProtocol, Repository, UnitOfWork

PROMISED: dict[type, set[str]] = {
    Repository: {"get", "get_all", "add", "update", "delete"},
    UnitOfWork: {"__aenter__", "__aexit__", "commit", "rollback"},
    CacheProtocol: {"get", "set", "delete"},
}
every_port = pytest.mark.parametrize(("port", "methods"), PROMISED.items(), ids=lambda value: getattr(value, "__name__", ""))


async def method() -> None:
    """Stand in for any of them."""


class TestEveryPort:
    @every_port
    def test_takes_what_has_its_methods(self, port: type, methods: set[str]) -> None:
        fitting = type("Fitting", (), dict.fromkeys(methods, method))

        assert isinstance(fitting(), port)

    @every_port
    def test_refuses_what_lacks_one(self, port: type, methods: set[str]) -> None:
        for missing in methods:
            lacking = type("Lacking", (), dict.fromkeys(methods - {missing}, method))
            assert not isinstance(lacking(), port)
