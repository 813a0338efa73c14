"""What single settings must look like; each refusal says what to write, and nothing of what was written."""

import ipaddress
import re
from datetime import date
from decimal import Decimal
from email.utils import parseaddr
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from ordermill.accounts.drafts import email_address
from ordermill.config.database import SPELLED
from ordermill.kit.calendar import zone
from ordermill.kit.errors import Invalid
from ordermill.kit.money import Currency, parse_amount

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# 32 random bytes in base64url or hex; RFC 7518, section 3.2, asks for as many as the hash has.
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43,}", re.ASCII)
_END: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _known_zone(name: str) -> str:
    try:
        return zone(name).key
    except Invalid as refusal:
        raise ValueError(refusal.message) from refusal


def _known_currency(code: str) -> str:
    try:
        return Currency.of(code.strip().upper()).code
    except Invalid as refusal:
        raise ValueError(refusal.message) from refusal


def _redis_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None and not _is_redis(url.get_secret_value()):
        # Nothing of the URL is repeated: where it is malformed the password may stand anywhere.
        raise ValueError(
            "Write redis://HOST:PORT, rediss://HOST:PORT or unix:///SOCKET. The number of a database follows as /NUMBER, on a "
            f"socket as ?db=NUMBER; {SPELLED}"
        )
    return url


def _is_redis(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if "#" in url or "\0" in unquote(url) or parts.netloc.count("@") > 1:
        return False
    if parts.scheme == "unix":
        named = not parts.hostname and bool(parts.path.strip("/")) and "@" not in parts.path
        return named and re.fullmatch(r"(db=[0-9]{1,9})?", parts.query, re.ASCII) is not None
    numbered = re.fullmatch(r"(/[0-9]{0,9})?", parts.path, re.ASCII) is not None
    return parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and numbered and "?" not in url


def _secret_key(said: SecretStr | None) -> SecretStr | None:
    for number, part in enumerate(said.get_secret_value().split(",") if said else ()):
        secret, at, end = part.strip().partition("@")
        if not _SECRET.fullmatch(secret) or len(set(secret)) < _DISTINCT or (at and not _is_day(end)) or (at and not number):
            raise ValueError(
                "Write at least 43 random letters, digits, _ and -, such as `openssl rand -hex 32` prints; old ones, which "
                "only verify, follow behind commas, each with its last day: NEW,OLD@2026-12-31."
            )
    return said


def _is_day(text: str) -> bool:
    try:
        return _END.fullmatch(text) is not None and date.fromisoformat(text).year <= _LAST_YEAR
    except ValueError:
        return False


# As for every moment that is kept.
_LAST_YEAR: Final = 2199
# A placeholder such as "changeme" over and over has fewer different signs.
_DISTINCT: Final = 12


def _words(said: object) -> object:
    return tuple(filter(None, re.split(r"[\s,]+", said.strip()))) if isinstance(said, str) else said


def _origin(said: str) -> str:
    parts = urlsplit(said)
    if parts.scheme not in {"http", "https"} or not parts.hostname or said != f"{parts.scheme}://{parts.netloc}" or "@" in said:
        raise ValueError("Write origins such as https://shop.example.com, without a path, with commas between.")
    return said.lower()


def _public_url(said: str | None) -> str | None:
    if said is not None:
        parts = urlsplit(said)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("Write where the world reaches this server, such as https://orders.example.com.")
        return said.rstrip("/")
    return None


def _smtp_url(said: SecretStr | None) -> SecretStr | None:
    if said is not None:
        try:
            parts = urlsplit(said.get_secret_value())
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        if (
            parts.scheme not in {"smtp", "smtps"}
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
        ):
            raise ValueError(
                "Write smtp://USER:PASSWORD@HOST:PORT (STARTTLS where the server offers it) or smtps:// (TLS from the start); "
                f"{SPELLED}"
            )
    return said


def _mail_from(said: str) -> str:
    address = parseaddr(said)[1]
    alone = said == address or said.endswith(f" <{address}>")
    if not (alone and said.isprintable() and address.isascii() and _is_address(address)):
        raise ValueError("Write the sender such as orders@example.com or Orders <orders@example.com>.")
    return said


def _is_address(text: str) -> bool:
    try:
        email_address(text)
    except ValueError:
        return False
    return True


def _amount(said: object) -> object:
    try:
        amount = parse_amount(said)
    except Invalid as refusal:
        raise ValueError(refusal.message) from refusal
    if amount < 0:
        raise ValueError("Write an amount such as 4.90.")
    return amount


Zone = Annotated[str, AfterValidator(_known_zone)]
CurrencyCode = Annotated[str, AfterValidator(_known_currency)]
RedisUrl = Annotated[SecretStr | None, AfterValidator(_redis_url)]
SecretKeys = Annotated[SecretStr | None, AfterValidator(_secret_key)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_words)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_words)]
PublicUrl = Annotated[str | None, AfterValidator(_public_url)]
MailFrom = Annotated[str, AfterValidator(_mail_from)]
SmtpUrl = Annotated[SecretStr | None, AfterValidator(_smtp_url)]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
