"""One member's outcome: data or a refusal, never both."""

import pickle
from dataclasses import FrozenInstanceError

import pytest

from ordermill.kit.errors import NotFound
from ordermill.kit.results import ServiceResult


class TestOk:
    def test_carries_the_data(self) -> None:
        result = ServiceResult.ok(12)

        assert (result.success, result.data, result.error) == (True, 12, None)
        assert result.unwrap() == 12

    @pytest.mark.parametrize("data", [None, 0, "", False, ()])
    def test_of_something_falsy_is_a_success(self, data: object) -> None:
        result = ServiceResult.ok(data)

        assert result.success is True
        assert result.unwrap() is data


class TestFail:
    def test_carries_the_refusal(self) -> None:
        error = NotFound("There is no such order.")
        result: ServiceResult[int] = ServiceResult.fail(error)

        assert (result.success, result.data, result.error) == (False, None, error)

    def test_unwrapping_raises_the_refusal_itself(self) -> None:
        error = NotFound("There is no such order.")
        result: ServiceResult[int] = ServiceResult.fail(error)

        with pytest.raises(NotFound) as raised:
            result.unwrap()

        assert raised.value is error


class TestResult:
    def test_is_never_both(self) -> None:
        with pytest.raises(ValueError, match="carries no data"):
            ServiceResult(data=12, error=NotFound("No."))

    def test_cannot_be_changed(self) -> None:
        result = ServiceResult.ok(12)

        with pytest.raises(FrozenInstanceError):
            result.data = 13  # type: ignore[misc]  # that is the point

    def test_equals_by_what_it_carries(self) -> None:
        error = NotFound("No.")

        assert ServiceResult.ok(12) == ServiceResult.ok(12) != ServiceResult.ok(13)
        assert ServiceResult.fail(error) == ServiceResult.fail(error) != ServiceResult.fail(NotFound("No."))

    def test_survives_pickling(self) -> None:
        again = pickle.loads(pickle.dumps(ServiceResult.fail(NotFound("No."))))  # noqa: S301 -- our own bytes

        assert (again.success, str(again.error)) == (False, "No.")
