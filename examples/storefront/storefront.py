"""A storefront in forty lines: register, browse, ask the price, order, look. Needs only Python: `python storefront.py`."""

import json
import secrets
import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

SHOP = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
email, password = f"ada-{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(16)


def ask(path, body=None, *, form=None, token=None, key=None):
    """Send JSON or a form, or fetch; return what came back."""
    said = {"Authorization": f"Bearer {token}"} if token else {}
    said |= {"Content-Type": "application/json"} if body else {}
    said |= {"Idempotency-Key": key} if key else {}
    data = json.dumps(body).encode() if body else urlencode(form).encode() if form else None
    try:
        with urlopen(Request(SHOP + path, data, said)) as answer:
            return json.load(answer)
    except HTTPError as refusal:
        sys.exit(f"{path}: {json.load(refusal)['detail']}")


ask("/users", {"email": email, "name": "Ada", "password": password})
token = ask("/auth/token", form={"grant_type": "password", "username": email, "password": password})["access_token"]
shelf = ask("/products")["data"]
if not shelf:
    sys.exit("The shelf is empty. Put something there: ordermill products add TEA-1 --name Tea --price 4.50 --stock 20")
for product in shelf:
    print(f"{product['sku']:12} {product['price']:>8} {product['currency']}  {product['name']}")

address = {"name": "Ada", "line1": "1 Mill Lane", "city": "York", "postal_code": "YO1", "country": "GB"}
item = {"product_id": shelf[0]["id"], "quantity": 1, "unit_price": shelf[0]["price"]}
basket = {"items": [item], "shipping_address": address}
print("It will be", ask("/orders/quote", basket, token=token)["total"])
order = ask("/orders", basket, token=token, key=secrets.token_hex(16))  # sent twice, the key still makes one order of it
print(f"Order {order['number']}: {order['total']} {order['currency']}, {order['status']}, {order['payment']}")
print("All orders:", [mine["number"] for mine in ask("/orders", token=token)["data"]])
