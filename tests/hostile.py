"""
The hostile corpus of RELIABILITY.md 1.2: what a request may hold that libraries guess about, stumble over or repeat.

    VALUES      JSON texts for one field
    BODIES      whole bodies that are no JSON with one meaning, for any route that takes JSON
    TEXTS       for a part of an address: an id, a parameter of a query
    HEADERS     headers that are not what they should be

`CANARY` is in everything that could be repeated: no refusal and no log holds it.
"""

import json
from typing import Final

import httpx

CANARY: Final = "caNary"
PROBLEM: Final = "application/problem+json"
FIELDS: Final = frozenset({"type", "title", "status", "detail", "instance", "code", "request_id"})

VALUES: Final = {
    "null": "null",
    "true": "true",
    "false": "false",
    "0": "0",
    "1": "1",
    "-1": "-1",
    "a whole float": "5.0",
    "a float": "4.5",
    "a float of many digits": "1234567890123456.78",
    "an exponent": "1e2",
    "-0.0": "-0.0",
    "2^31": str(2**31),
    "2^63": str(2**63),
    "2^70": str(2**70),
    "-2^63 - 1": str(-(2**63) - 1),
    "4,000 digits": "9" * 4000,
    "a text of digits": '"5"',
    "underscores": '"1_000"',
    "Arabic digits": '"\u0661\u0662"',
    "a fullwidth digit": '"\uff15"',
    "a vast exponent": '"1e1000000"',
    "NaN as a text": '"NaN"',
    "Infinity as a text": '"-Infinity"',
    "4,000 digits as a text": '"' + "9" * 4000 + '"',
    "a comma": '"1,50"',
    "spaces": '"   "',
    "nothing": '""',
    "NUL": '"caNary\\u0000@example.com"',
    "a control character": '"caNary\\u0007"',
    "C1": '"caNary\\u0085"',
    "line ends": '"caNary\\r\\nSet-Cookie: caNary"',
    "right to left": '"\u202ecaNary"',
    "a letter of two code points": '"caNary e\u0301 \\ud83d\\ude00"',
    "markup": '"<script>caNary</script>"',
    "a statement": '"caNary\'; DROP TABLE orders;--"',
    "a template": '"{{caNary}} %s {0} ${caNary}"',
    "a path": '"../../../etc/caNary"',
    "an address": '"caNary@example.com"',
    "a long text": '"' + "caNary " * 1000 + '"',
    "a list": '["caNary"]',
    "an empty list": "[]",
    "an object": '{"caNary": "caNary"}',
    "an empty object": "{}",
    "deep": "[" * 400 + "]" * 400,
    "a time without offset": '"2026-11-22T10:00:00"',
    "a time of no calendar": '"9999-12-31T23:59:60+99:99"',
    "a time that is a number": "1767225600",
}

_GOOD: Final = '{"caNary": "caNary"}'
BODIES: Final = {
    "a brace": b"{",
    "not a number": b'{"caNary": NaN}',
    "infinity": b'{"caNary": Infinity}',
    "minus infinity": b'{"caNary": -Infinity}',
    "beyond all bounds": b'{"caNary": 1e400}',
    "half a surrogate pair": rb'{"caNary": "\ud800"}',
    "half a surrogate pair as a name": rb'{"caNary\udfff": 1}',
    "a name twice": b'{"caNary": 1, "caNary": 1}',
    "5,000 digits": b'{"caNary": ' + b"9" * 5000 + b"}",
    "100,000 brackets": b"[" * 100_000,
    "100,000 braces": b'{"a":' * 100_000,
    "UTF-8 that is none": b'{"caNary": "\xff"}',
    "UTF-16": _GOOD.encode("utf-16"),
    "UTF-32": _GOOD.encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + _GOOD.encode(),
    "NUL behind": _GOOD.encode() + b"\0",
    "a control character": b'{"caNary": "\x01"}',
    "a comment": b'{"caNary": 1} // caNary',
    "single quotes": b"{'caNary': 1}",
}
# JSON, but of another form than any route takes.
FORMS: Final = {
    "null": b"null",
    "a text": b'"caNary"',
    "a number": b"7",
    "true": b"true",
    "a list": b'["caNary"]',
    "a list of objects": b'[{"caNary": "caNary"}]',
    "a name of nobody's": b'{"caNary": "caNary"}',
    "a very long name": json.dumps({CANARY * 10_000: 1}).encode(),
    "very many names": json.dumps({f"field{number}": CANARY for number in range(5000)}).encode(),
    "names of objects": b'{"__class__": "caNary", "__proto__": "caNary", "constructor": "caNary"}',
}

TEXTS: Final = (
    "", "0", "-1", "+1", "1.0", "1e1", "true", "NaN", "null", "undefined", "\u0661", "1_0", "0x1", "007", str(2**31),
    str(2**63), str(2**70), "9" * 5000,
    "caNary", "caNary " * 300, "caNary\0", "caNary\x07", "caNary\r\nX: y", "\u202ecaNary", "caNary\u0301",
    "' OR 1=1 --", "%", "_", "caNary%00", "../caNary", "{caNary}", "2026-11-22T10:00:00", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "00000000-0000-0000-0000-000000000000", "ffffffffffffffffffffffffffffffff", "EUX", "eur",
)  # fmt: skip
# Parts of a query as they travel: bytes that are no UTF-8, halves of surrogate pairs, signs cut short.
RAW: Final = ("%FF", "%ED%A0%80", "%", "%C3", "%u0041", "%00", "a&a=b", "=", "&&")
HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("If-Match", "caNary"),
    ("If-Match", ""),
    ("If-Match", '"' + "9" * 4000 + '"'),
    ("If-Match", '"-1"'),
    ("If-Match", 'W/"1"'),
    ("If-Match", '"caNary\x7f'),
    ("If-None-Match", "caNary"),
    ("If-None-Match", '"' * 1000),
    ("If-None-Match", ", " * 1000),
    ("Idempotency-Key", ""),
    ("Idempotency-Key", "caNary\x7f"),
    ("Idempotency-Key", "caNary\u00e9"),
    ("Idempotency-Key", '"caNary'),
    ("Idempotency-Key", "c" * 256),
    ("X-Request-ID", "caNary caNary"),
    ("X-Request-ID", "c" * 5000),
    ("X-Forwarded-For", "caNary, 1.2.3"),
    ("Forwarded", "for=caNary"),
    ("Accept", "caNary/*;q=x"),
    ("Accept-Encoding", "caNary"),
    ("Content-Encoding", "gzip"),
    ("Content-Length", "caNary"),
    ("Content-Length", "-1"),
    ("Content-Length", "9" * 5000),
    ("Expect", "caNary"),
    ("Range", "bytes=caNary"),
    ("Host", "caNary.example.com"),
    ("Cookie", "caNary=caNary; " * 200),
    ("Origin", "https://caNary.example.com"),
    ("X-Canary", "caNary" * 10_000),
    ("X-HTTP-Method-Override", "DELETE"),
)
CREDENTIALS: Final = (
    "", "Bearer", "Bearer ", "bearer caNary", "Bearer caNary caNary", "Basic Y2FuYXJ5OmNhbmFyeQ==", "caNary",
    "Bearer om_caNary", "Bearer om_" + "c" * 5000, "Bearer a.b.c", "Bearer " + "." * 2000, "Bearer \xe9\xff", "Bearer null",
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.bnVsbA.AAAA",
    "Bearer eyJhbGciOlsiSFMyNTYiXX0.W10.AAAA", 'Digest username="caNary"', "Bearer\tcaNary",
)  # fmt: skip
CONTENT_TYPES: Final = (
    None, "", "text/plain", "application/xml", "application/json; charset=utf-16", "application/json; charset=caNary",
    "multipart/form-data", "multipart/form-data; boundary=", "application/x-www-form-urlencoded; charset=utf-16", "caNary",
    "application/jsonp", "application/merge-patch+json", "application/json, text/plain", "*/*", "/", ";", "application/",
)  # fmt: skip


def complaint(answer: httpx.Response) -> str | None:
    """Return what is wrong with an answer to a hostile request; None where nothing is."""
    if answer.status_code < 400:
        return None
    if answer.status_code >= 500 or answer.headers["content-type"] != PROBLEM:
        return "a bug, or no problem document"
    body = answer.json()
    faults = {
        "it lacks a field": not body.keys() >= FIELDS,
        "it is of another status": body.get("status") != answer.status_code,
        "it is of another request": body.get("request_id") != answer.headers["x-request-id"],
        "it is very long": len(answer.content) > 20_000,
        "it repeats what was sent": CANARY in _without_names(body),
    }
    return next((fault for fault, found in faults.items() if found), None)


def _without_names(body: dict[str, object]) -> str:
    """Return a problem without the names of fields, which people must find."""
    errors = body.get("errors")
    if not isinstance(errors, list):
        return json.dumps(body)
    plain = [{name: text for name, text in error.items() if name not in {"pointer", "parameter"}} for error in errors]
    return json.dumps({**body, "errors": plain})
