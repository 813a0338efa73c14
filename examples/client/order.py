"""
A shop through a client that was generated: register, sign in, browse, ask the price, order, look.

    pip install openapi-python-client
    openapi-python-client generate --url http://127.0.0.1:8000/openapi.json --meta none --output-path ordermill_client
    python order.py http://127.0.0.1:8000

Every call is typed, and answers what it should or a `Problem`.
"""

import secrets
import sys

from ordermill_client import AuthenticatedClient, Client
from ordermill_client.api.auth import sign_in
from ordermill_client.api.orders import get_order, list_orders, place_order, quote_order
from ordermill_client.api.products import list_products
from ordermill_client.api.users import register_user
from ordermill_client.models import (
    AddressCreate,
    BasketItemSent,
    BasketSent,
    OrderItemSent,
    OrderList,
    OrderResponse,
    OrderSent,
    Problem,
    ProductList,
    QuoteResponse,
    SignIn,
    Tokens,
    UserCreate,
    UserResponse,
)


def said(answer, kind):
    """Return an answer of the kind that is wanted; end with the problem's sentence where it is one."""
    if isinstance(answer, Problem):
        sys.exit(f"{answer.status} {answer.code}: {answer.detail}")
    assert isinstance(answer, kind), answer
    return answer


shop = Client(base_url=sys.argv[1])
email, password = f"ada-{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(16)
said(register_user.sync(client=shop, body=UserCreate(email=email, name="Ada", password=password)), UserResponse)
tokens = said(sign_in.sync(client=shop, body=SignIn(username=email, password=password)), Tokens)
ada = AuthenticatedClient(base_url=sys.argv[1], token=tokens.access_token)

shelf = said(list_products.sync(client=shop), ProductList).data
if not shelf:
    sys.exit("The shelf is empty. Put something there: ordermill products add TEA-1 --name Tea --price 4.50 --stock 20")
tea = shelf[0]
quote = said(
    quote_order.sync(client=ada, body=BasketSent(items=[BasketItemSent(product_id=tea.id, quantity=2)])), QuoteResponse
)
print(f"2 {tea.name} will be {quote.total} {quote.currency}.")

wanted = OrderSent(
    items=[OrderItemSent(product_id=tea.id, quantity=2, unit_price=tea.price)],
    shipping_address=AddressCreate(name="Ada", line1="1 Mill Lane", city="York", postal_code="YO1", country="GB"),
)
key = secrets.token_hex(16)  # sent twice, it still makes one order
order, again = (said(place_order.sync(client=ada, body=wanted, idempotency_key=key), OrderResponse) for _ in range(2))
assert again == order
assert said(get_order.sync(order.id, client=ada), OrderResponse) == order
assert [mine.number for mine in said(list_orders.sync(client=ada), OrderList).data] == [order.number]
print(f"Order {order.number}: {order.total} {order.currency}, {order.status}, {order.payment}.")
