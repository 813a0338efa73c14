"""
The words of the mails that accounts send.

Nothing that a stranger typed stands in them, not even a name: else anybody could have us send their words to anybody.
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail in plain text. Address and text show in no text form of it: a link in it is a key."""

    kind: str
    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)


def verification(to: str, *, link: str) -> Mail:
    return Mail(kind="verify_email", to=to, subject="Please confirm your e-mail address", text=_VERIFICATION.format(link=link))


def password_reset(to: str, *, link: str) -> Mail:
    return Mail(kind="reset_password", to=to, subject="Choose a new password", text=_RESET.format(link=link))


def already_registered(to: str, *, link: str) -> Mail:
    return Mail(kind="already_registered", to=to, subject="You have an account already", text=_KNOWN.format(link=link))


def password_changed(to: str, *, link: str) -> Mail:
    return Mail(kind="password_changed", to=to, subject="Your password was changed", text=_CHANGED.format(link=link))


_VERIFICATION: Final = """\
Somebody, hopefully you, made an account with this e-mail address. To confirm that the address is yours, open

{link}

The link works once, within three days. Earlier orders that were placed with this address show in the account from then on.

If you made no account, do not open it; without it the account sees none of your orders. Nothing else has to be done.
"""

_RESET: Final = """\
Somebody, hopefully you, asked for a new password for the account with this e-mail address. To choose one, open

{link}

The link works once, within one hour. You are then signed out everywhere.

If you did not ask for it, nothing has to be done: your password stays as it is.
"""

_KNOWN: Final = """\
Somebody, hopefully you, wanted to make an account with this e-mail address. There is one already, and it stays as it is.

If you have forgotten its password, choose a new one:

{link}

If it was not you, nothing has to be done.
"""

_CHANGED: Final = """\
The password of the account with this e-mail address was changed, and you were signed out everywhere.

If it was not you, choose another one at once:

{link}
"""
