"""Who may change what about an order, and when; and the words that a change is sent in."""

from datetime import UTC, datetime
from typing import Any

import pytest
from builders import an_order
from pydantic import ValidationError

from ordermill.accounts.principal import Principal, Scope
from ordermill.kit.errors import Conflict, Forbidden
from ordermill.orders.amendment import MovementCreate, OrderChange, require_allowed
from ordermill.orders.model import Address, Status
from ordermill.orders.reading import viewer_of

PLACE = {"line1": "2 Mill Lane", "city": "Leeds", "country": "GB"}
CHANGES: dict[str, dict[str, Any]] = {
    "address": {"shipping_address": PLACE},
    "billing": {"billing_address": PLACE},
    "cancel": {"status": "cancelled"},
    "move": {"status": "processing"},
    "note": {"note": "x"},
    "carrier": {"carrier": None},
    "both": {"status": "cancelled", "note": "x"},
    "nothing": {},
}


def verdict(change: str, status: Status, *, as_staff: bool) -> str:
    try:
        require_allowed(an_order(status=status), OrderChange.model_validate(CHANGES[change]), as_staff=as_staff)
    except (Conflict, Forbidden) as refusal:
        return refusal.code
    return "allowed"


class TestAllowed:
    @pytest.mark.parametrize("change", ["note", "carrier", "move", "both"])
    @pytest.mark.parametrize("status", Status)
    def test_the_shops_own_business_is_forbidden_to_customers(self, change: str, status: Status) -> None:
        assert verdict(change, status, as_staff=False) == "forbidden"

    @pytest.mark.parametrize(
        ("change", "otherwise"),
        [("address", "addresses_settled"), ("billing", "addresses_settled"), ("cancel", "status_not_allowed")],
    )
    def test_customers_change_addresses_and_cancel_while_it_is_pending(self, change: str, otherwise: str) -> None:
        found = {status: verdict(change, status, as_staff=False) for status in Status}
        assert found == {status: "allowed" if status is Status.PENDING else otherwise for status in Status}

    def test_staff_readdress_until_it_is_shipped(self) -> None:
        found = [status for status in Status if verdict("address", status, as_staff=True) == "allowed"]
        assert found == [Status.PENDING, Status.PROCESSING]

    @pytest.mark.parametrize("change", ["note", "carrier", "nothing", "move", "both"])
    def test_staff_write_notes_at_any_time_and_moves_are_judged_elsewhere(self, change: str) -> None:
        assert {verdict(change, status, as_staff=True) for status in Status} == {"allowed"}


class TestWords:
    def test_what_is_left_out_is_not_said(self) -> None:
        assert OrderChange.model_validate({}).fields() == {}
        assert OrderChange.model_validate({}).moves_to is None

    def test_null_takes_a_text_away(self) -> None:
        assert OrderChange.model_validate({"note": None, "carrier": " DHL "}).fields() == {"note": None, "carrier": "DHL"}

    def test_an_address_is_whole(self) -> None:
        change = OrderChange.model_validate({"shipping_address": PLACE, "status": "cancelled"})
        assert change.fields() == {"shipping_address": Address(line1="2 Mill Lane", city="Leeds", country="GB")}
        assert change.moves_to is Status.CANCELLED

    @pytest.mark.parametrize(
        "body", [{"status": None}, {"shipping_address": None}, {"items": []}, {"total": "0"}, {"version": 2}]
    )
    def test_refuses_what_nobody_changes(self, body: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            OrderChange.model_validate(body)

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-11-22T12:00:00Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
            ("2026-11-22t13:00:00.5+01:00", datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)),
            ("2026-11-22 12:00:00z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ],
    )
    def test_reads_moments_with_their_offset(self, text: str, moment: datetime) -> None:
        assert MovementCreate.model_validate({"amount": "1", "at": text}).at == moment

    @pytest.mark.parametrize(
        "at",
        [
            5,
            1.5,
            True,
            "1700000000",
            "2026-11-22",
            "2026-11-22T12:00:00",
            "",
            "0001-01-01T00:00:00+14:00",
            "٢٠٢٦-11-22T12:00:00Z",
        ],
    )
    def test_refuses_other_moments(self, at: Any) -> None:
        with pytest.raises(ValidationError):
            MovementCreate.model_validate({"amount": "1", "at": at})


class TestViewer:
    @pytest.mark.parametrize(
        ("principal", "viewer"),
        [
            (Principal(actor="user:7", user_id=7), 7),
            (Principal(actor="user:7", user_id=7, is_staff=True), None),
            (Principal(actor="key:x", scope=Scope.STAFF), None),
            (Principal(actor="key:x", scope=Scope.READ), None),
        ],
    )
    def test_is_the_user_where_not_everything_is_seen(self, principal: Principal, viewer: int | None) -> None:
        assert viewer_of(principal) == viewer

    def test_a_key_that_places_orders_sees_none(self) -> None:
        with pytest.raises(Forbidden):
            viewer_of(Principal(actor="key:x", scope=Scope.STOREFRONT))
