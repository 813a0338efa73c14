"""Refusals are plain exceptions: they hash, pickle, print and pass through context managers unharmed."""

import copy
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from ordermill.kit import errors
from ordermill.kit.errors import Conflict, Forbidden, Invalid, NotFound, ServiceError, StaleVersion, Taken, Unavailable


class OutOfStock(Conflict):
    """A refusal with a constructor and an attribute of its own, as features write them."""

    default_code = "out_of_stock"

    def __init__(self, sku: str, *, left: int) -> None:
        super().__init__(f"Of {sku!r} only {left} are left.", details={"sku": sku, "left": left})
        self.left = left


EVERY_SHAPE = [
    ServiceError("No."),
    NotFound("There is no such order.", code="order_not_found", details={"order": "1001"}),
    Invalid.field("/items/0/quantity", "At least 1.", code="too_small"),
    StaleVersion("The order"),
    Taken("user_email_key"),
    OutOfStock("TEA-1", left=2),
]
every_shape = pytest.mark.parametrize("error", EVERY_SHAPE, ids=lambda error: type(error).__name__)


class TestRefusal:
    def test_carries_a_sentence_a_code_and_facts(self) -> None:
        error = NotFound("There is no such order.", code="order_not_found", details={"order": "1001"})

        assert (error.message, error.code, error.details) == ("There is no such order.", "order_not_found", {"order": "1001"})

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (ServiceError, "error"),
            (NotFound, "not_found"),
            (Conflict, "conflict"),
            (Forbidden, "forbidden"),
            (Invalid, "invalid"),
            (Unavailable, "unavailable"),
        ],
    )
    def test_has_the_code_of_its_kind_where_none_is_given(self, kind: type[ServiceError], code: str) -> None:
        assert kind("No.").code == code

    def test_there_are_five_kinds(self) -> None:
        assert {kind.__name__ for kind in ServiceError.__subclasses__() if kind.__module__ == errors.__name__} == {
            "NotFound",
            "Conflict",
            "Forbidden",
            "Invalid",
            "Unavailable",
        }

    def test_facts_are_its_own(self) -> None:
        facts = {"order": "1001"}
        error = NotFound("No.", details=facts)

        facts["order"] = "1002"

        assert error.details == {"order": "1001"}
        assert NotFound("No.").details == {}

    def test_prints_its_sentence(self) -> None:
        error = OutOfStock("TEA-1", left=2)

        assert str(error) == "Of 'TEA-1' only 2 are left."
        assert repr(error) == """OutOfStock("Of 'TEA-1' only 2 are left.", code='out_of_stock')"""

    @every_shape
    def test_hashes_by_identity(self, error: ServiceError) -> None:
        assert {error: "seen"}[error] == "seen"
        assert error != copy.copy(error)

    @every_shape
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_survives_pickling(self, error: ServiceError, protocol: int) -> None:
        again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 -- our own bytes

        assert type(again) is type(error)
        assert vars(again) == vars(error)
        assert (str(again), repr(again), again.args) == (str(error), repr(error), error.args)

    def test_pickling_keeps_notes_and_attributes(self) -> None:
        error = OutOfStock("TEA-1", left=2)
        error.add_note("in file orders.csv")

        again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes

        assert (again.left, again.__notes__) == (2, ["in file orders.csv"])

    @every_shape
    @pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy])
    def test_can_be_copied(self, error: ServiceError, copier: Callable[[ServiceError], ServiceError]) -> None:
        assert vars(copier(error)) == vars(error)

    @every_shape
    def test_leaves_a_context_manager_as_itself(self, error: ServiceError) -> None:
        @contextmanager
        def block() -> Iterator[None]:
            yield

        with pytest.raises(ServiceError) as raised, block():
            raise error

        assert raised.value is error

    @every_shape
    @pytest.mark.anyio
    async def test_leaves_an_asynchronous_context_manager_as_itself(self, error: ServiceError) -> None:
        @asynccontextmanager
        async def block() -> AsyncIterator[None]:
            yield

        with pytest.raises(ServiceError) as raised:
            async with block():
                raise error

        assert raised.value is error

    def test_keeps_its_cause(self) -> None:
        cause = OSError("disk")

        with pytest.raises(Unavailable) as raised:
            raise Unavailable("The disk is full.") from cause

        assert raised.value.__cause__ is cause


class TestInvalid:
    def test_points_at_one_field(self) -> None:
        error = Invalid.field("/items/0/quantity", "At least 1.", code="too_small")

        assert (error.message, error.code) == ("At least 1.", "too_small")
        assert error.details == {"errors": [{"pointer": "/items/0/quantity", "detail": "At least 1.", "code": "too_small"}]}

    def test_a_subclass_points_as_itself(self) -> None:
        class Unreadable(Invalid):
            """A kind of invalid."""

        assert type(Unreadable.field("", "No.")) is Unreadable


class TestConflicts:
    def test_a_stale_version_names_what_was_changed(self) -> None:
        error = StaleVersion("The order")

        assert str(error) == "The order was changed by somebody else since you read it; read it again."
        assert (error.code, error.details) == ("stale_version", {"what": "The order"})

    def test_a_taken_value_names_its_constraint(self) -> None:
        error = Taken("user_email_key")

        assert (error.code, error.constraint, error.details) == ("taken", "user_email_key", {"constraint": "user_email_key"})
