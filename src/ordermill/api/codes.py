"""
Every code a problem of the API can carry: its status, and the sentence that the documentation shows as its example.

A refusal whose code is not here has the status of its kind (problems). One that is here has this status whatever its
kind, so this is where a code gets another one. `refusals(…, "code")` takes no code that is not here.
"""

from typing import Final, NamedTuple


class Known(NamedTuple):
    """What is said about a code beforehand."""

    status: int
    sentence: str


CODES: Final[dict[str, Known]] = {
    # Any request
    "bad_request": Known(400, "The request cannot be understood."),
    "body_malformed": Known(400, "The body is no JSON that could be read exactly: a name stands twice in one object."),
    "unauthenticated": Known(401, "Sign in first: send the header Authorization with an access token or API key."),
    "forbidden": Known(403, "This is for staff."),
    "not_found": Known(404, "There is no such thing."),
    "method_not_allowed": Known(405, "This cannot be done here; the header Allow says what can."),
    "request_timeout": Known(408, "The body did not arrive in time; send it again."),
    "conflict": Known(409, "This contradicts what is there already."),
    "body_too_large": Known(413, "The body is larger than 1,048,576 bytes."),
    "unsupported_media_type": Known(415, "Send the body as application/json."),
    "invalid": Known(422, "Some of what was sent cannot be accepted; `errors` says which."),
    "text_not_storable": Known(422, "No order's number holds a control character U+0007."),
    "rate_limited": Known(429, "Too many requests; wait 12 seconds."),
    "header_too_large": Known(431, "The header is too large."),
    "internal_error": Known(500, "Ordermill failed; the log tells more under this request's id."),
    "unavailable": Known(503, "Something that is needed does not answer at the moment; try again soon."),
    "database_busy": Known(503, "The database is busy at the moment; try again soon."),
    "database_unavailable": Known(503, "The database does not answer at the moment; try again soon."),
    "timed_out": Known(503, "This took longer than 30 seconds and was given up; whether it was done is not known."),
    # Versions, idempotency, cursors
    "stale_version": Known(412, "The order was changed by somebody else since you read it; read it again."),
    "precondition_required": Known(428, "Send If-Match with the ETag of what you have read."),
    "cursor_invalid": Known(400, "This cursor is not of this list; begin again without one."),
    "idempotency_key_missing": Known(400, "Send an Idempotency-Key."),
    "idempotency_key_malformed": Known(400, "An Idempotency-Key has 1 to 255 printable ASCII characters."),
    "idempotency_key_reused": Known(422, "This Idempotency-Key was sent with another request before."),
    "idempotency_in_flight": Known(409, "A request with this Idempotency-Key is being worked on; try again soon."),
    # Signing in
    "invalid_credentials": Known(400, "E-mail address or password is wrong."),
    "token_request_invalid": Known(400, "Send username and password."),
    "refresh_refused": Known(401, "This refresh token is not valid; sign in again."),
    "too_many_attempts": Known(429, "Too many attempts; wait 60 seconds."),
    "api_key_not_found": Known(404, "There is no API key with this id, or it was revoked before."),
    # Placing orders
    "account_inactive": Known(403, "This account is not active."),
    "field_not_allowed": Known(403, "The shop says what shipping costs; leave it out."),
    "product_not_found": Known(404, "There is no such product, or it is not for sale."),
    "too_many_items": Known(422, "An order has at most 50 items."),
    "quantity_too_large": Known(422, "An order has at most 100 of one item."),
    "currency_mismatch": Known(409, "These products are sold in EUR, GBP; an order has one currency."),
    "price_changed": Known(409, "Prices have changed; show the buyer the present ones and order again."),
    "out_of_stock": Known(409, "Not everything is there in the quantity that is wanted."),
    "discount_not_applicable": Known(409, "This discount code cannot be used for this order."),
    "amount_too_large": Known(422, "90071992547410.00 is more than 90071992547409.91."),
    # Catalogue
    "sku_taken": Known(409, "There is a product with this SKU already."),
    "price_missing": Known(422, "Another currency needs its own price."),
    "too_many_decimals": Known(422, "An amount has at most 2 decimals in EUR."),
    "stock_not_tracked": Known(409, "The stock of 'TEA-1' is not tracked; set it first."),
    "stock_too_low": Known(409, "There are only 3 of 'TEA-1'."),
    "stock_too_high": Known(409, "There would be more than 1,000,000,000,000 of 'TEA-1'."),
    "discount_not_found": Known(404, "There is no discount 3."),
    "discount_code_taken": Known(409, "There is a discount with this code already."),
    "currency_missing": Known(422, "An amount of money needs its currency."),
    "ends_before_start": Known(422, "A discount ends after it starts."),
    "percent_too_large": Known(422, "A discount is at most 100 percent."),
    "value_missing": Known(422, "Another kind or currency needs its own value."),
    "minimum_missing": Known(422, "Another currency needs its own minimum."),
    # Accounts
    "email_taken": Known(409, "There is an account with this e-mail address already."),
    "unknown_currency": Known(422, "There is no currency 'EUX' in ISO 4217."),
    "last_staff": Known(409, "This is the last active staff user; make another one first."),
    "user_not_found": Known(404, "There is no such user."),
    "own_account": Known(
        409, "This is your own account: another member of staff can deactivate it, and you erase it by DELETE /users/me."
    ),
    "link_invalid": Known(422, "This link is not valid any more; ask for a new one."),
    "email_missing": Known(422, "Name the address, or sign in."),
    "current_password_wrong": Known(422, "Send your current password with the new one."),
    "password_too_short": Known(422, "Use at least 8 characters."),
    "password_too_long": Known(422, "Use at most 1,024 characters."),
    "password_common": Known(422, "This is one of the most common passwords; use another."),
    "password_personal": Known(422, "Use something else than your e-mail address or name."),
    "mail_busy": Known(503, "Very many mails wait to be sent; try again in a moment."),
    # Orders
    "order_not_found": Known(404, "There is no such order."),
    "status_not_allowed": Known(409, "The order '1001' is delivered and cannot become cancelled; nothing follows on that."),
    "addresses_settled": Known(409, "The order '1001' is shipped; its addresses stay as they are."),
    "refund_too_large": Known(409, "Of the order '1001' no more than EUR 9.00 can be given back."),
    "time_out_of_range": Known(422, "Money is recorded when it has moved: from 1970 until now."),
    "amount_not_positive": Known(422, "The amount must be more than 0."),
    # Imports
    "unrecognised": Known(422, "'stock.csv' is in no format that Ordermill knows. It has the columns 'sku', 'stock'."),
    "unsuitable": Known(422, "'orders.xlsx' is an Excel file; export the orders as CSV."),
    "undecodable": Known(422, "Line 4 of 'orders.csv' holds the byte 0xFC, which is not UTF-8 there."),
    "unknown_encoding": Known(422, "There is no text encoding 'utf-9'; try utf-8, utf-16 or cp1252."),
    "unknown_format": Known(422, "There is no format 'spreadsheet'."),
    "unknown_timezone": Known(422, "There is no time zone 'Europe/Bonn'."),
    "format_said_twice": Known(422, "The map says already how the file is read; send one of the two."),
    "invalid_map": Known(422, "till.toml: this is not TOML."),
    "map_column_missing": Known(422, "The map reads the column 'Total', which the file has not."),
    "empty_file": Known(422, "'orders.csv' is empty."),
    "malformed_header": Known(422, "The first line of 'orders.csv' cannot be read."),
    "duplicate_column": Known(422, "The header names the column 'sku' twice."),
    "corrupt_gzip": Known(422, "'orders.csv.gz' is damaged: its gzip data cannot be unpacked."),
    "unpacks_too_large": Known(422, "'orders.csv.gz' unpacks to far more than an order file would."),
    "line_too_long": Known(422, "Line 4 of 'orders.csv' is longer than any order."),
    "order_too_long": Known(422, "Very many lines belong to the order '1001'."),
    "no_room": Known(503, "There is no room for temporary files."),
    "import_not_found": Known(404, "There is no import '0192f1c4-7a1e-7000-8000-000000000001'."),
    "no_rejects": Known(404, "This import has no rejects."),
    "import_unfinished": Known(
        409, "The import of 'orders.csv' was interrupted; process the file again to finish it, then undo it."
    ),
    "import_undone": Known(409, "The import of 'orders.csv' was undone already."),
    "imports_busy": Known(503, "As many files as possible are being brought in already; send this one again soon."),
    "upload_unwritable": Known(503, "The server has no room for the file, or may not keep it; the log says more."),
}

# What stands for a status where nothing more is known.
BY_STATUS: Final[dict[int, str]] = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    412: "stale_version",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid",
    428: "precondition_required",
    429: "rate_limited",
    431: "header_too_large",
    500: "internal_error",
    503: "unavailable",
}
