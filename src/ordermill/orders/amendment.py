"""
What is sent to change an order, or to record money for it, and who may change what when. Pure.

    owner   while pending: the addresses, or status cancelled
    staff   the status as the goods move, addresses until they are shipped, note, carrier, tracking number, at any time
    nobody  items and amounts: what was bought for what price is a fact
"""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from ordermill.kit.errors import Conflict, Forbidden
from ordermill.kit.fields import Amount, Moment, storable, unsaid
from ordermill.kit.text import shortened
from ordermill.orders.changes import CARRIER_LIMIT, METHOD_LIMIT, REFERENCE_LIMIT, TRACKING_LIMIT, MoneyDraft
from ordermill.orders.draft import AddressCreate, Note
from ordermill.orders.model import Address, Order, Status
from ordermill.orders.status import StatusNotAllowed

_ADDRESSES: Final = frozenset({"shipping_address", "billing_address"})
_SENT: Final = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Carrier = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=CARRIER_LIMIT), AfterValidator(storable)
]
TrackingNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=TRACKING_LIMIT), AfterValidator(storable)
]
Method = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=METHOD_LIMIT), AfterValidator(storable)
]
Reference = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REFERENCE_LIMIT), AfterValidator(storable)
]


class OrderChange(BaseModel):
    """What is to be different about an order; what is left out stays, and null takes a text away."""

    model_config = _SENT | ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "processing"},
                {"status": "shipped", "carrier": "DHL", "tracking_number": "JD014600003828392837"},
                {"note": "Leave it with the neighbour."},
            ]
        }
    )

    status: Status = Field(default_factory=unsaid, description="Where the goods go from where they are.", examples=["shipped"])
    shipping_address: AddressCreate = Field(default_factory=unsaid)
    billing_address: AddressCreate = Field(default_factory=unsaid)
    note: Note | None = None
    carrier: Carrier | None = Field(default=None, examples=["DHL"])
    tracking_number: TrackingNumber | None = Field(default=None, examples=["JD014600003828392837"])

    @property
    def moves_to(self) -> Status | None:
        """Where the goods are to go, if that was said."""
        return self.status if "status" in self.model_fields_set else None

    def fields(self) -> dict[str, str | Address | None]:
        """Return what was said of anything else, as an order keeps it."""
        said = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set - {"status"}}
        return {name: value.address() if isinstance(value, AddressCreate) else value for name, value in said.items()}


class MovementCreate(BaseModel):
    """Money that was received or given back; without a moment it happened now."""

    model_config = _SENT

    amount: Amount = Field(description="In the order's currency.", examples=["9.00"])
    method: Method | None = Field(default=None, description="How, such as card or cash.", examples=["card"])
    reference: Reference | None = Field(default=None, description="The payment provider's own.", examples=["ch_3MmlLr"])
    at: Moment | None = None

    def draft(self) -> MoneyDraft:
        return MoneyDraft(amount=self.amount, method=self.method, reference=self.reference, at=self.at)


class AddressesSettled(Conflict):
    """The goods are on their way, or will not be sent; nothing is readdressed any more."""

    default_code = "addresses_settled"

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"The order {shortened(order.number)!r} is {order.status.value}; its addresses stay as they are.",
            details={"order_status": order.status.value},
        )


def require_allowed(order: Order, change: OrderChange, *, as_staff: bool) -> None:
    """
    Refuse what somebody may not change about an order, now or ever.

    Raises:
        Forbidden: that is for staff.
        StatusNotAllowed: customers cancel what is pending, and nothing else.
        AddressesSettled: it is too late for other addresses.
    """
    said = change.model_fields_set
    if not as_staff:
        if said - _ADDRESSES - {"status"} or change.moves_to not in {None, Status.CANCELLED}:
            raise Forbidden("Customers change addresses, or cancel; the rest is for staff.")
        if change.moves_to is not None and order.status is not Status.PENDING:
            raise StatusNotAllowed(order, Status.CANCELLED, allowed=())
    open_for = {Status.PENDING, Status.PROCESSING} if as_staff else {Status.PENDING}
    if said & _ADDRESSES and order.status not in open_for:
        raise AddressesSettled(order)
