"""`ordermill users`: accounts."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli import personal_data
from ordermill.cli.console import print_json, say, show
from ordermill.cli.options import ACTOR, Database, Json, Limit, in_book
from ordermill.cli.tables import table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ordermill.accounts.drafts import UserCreate
    from ordermill.accounts.model import User
    from ordermill.accounts.service import Accounts
    from ordermill.bootstrap import Services
    from ordermill.kit.pages import Page

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address of the account, in capitals or not.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(name="users", help="Accounts.", no_args_is_help=True)
    group.command(epilog="Example: ordermill users create ada@example.com --name Ada --staff")(create)
    group.command("list", epilog="Example: ordermill users list --email ada@ --unclaimed")(list_users)
    group.command(epilog="Example: ordermill users activate ada@example.com")(activate)
    group.command(epilog="Example: ordermill users deactivate ada@example.com")(deactivate)
    group.command(epilog="Example: ordermill users set-staff ada@example.com --on")(set_staff)
    personal_data.add_to(group)
    app.add_typer(group)


def create(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The address they sign in with.")],
    *,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Else the address up to its @.", show_default=False)
    ] = None,
    staff: Annotated[bool, typer.Option("--staff", help="May use the back office and the staff routes.")] = False,
    password: Annotated[
        str | None,
        typer.Option(
            "--password",
            metavar="PASSWORD",
            help="Else it is asked for, or read from standard input; others can see a command's words.",
            show_default=False,
        ),
    ] = None,
    database: Database = None,
) -> None:
    """Create an account, or claim the one that came with an order."""
    draft = _draft(email, name, _asked() if password is None else password)

    async def work(services: "Services") -> None:
        user = await services.accounts.create(draft, actor=ACTOR, staff=staff)
        say(f"User {user.id}: {user.email}{', staff' if user.is_staff else ''}.")

    in_book(work, database=database, writes=True)


def list_users(  # noqa: PLR0913  # each is an option
    *,
    email: Annotated[
        str | None,
        typer.Option(
            "--email", metavar="BEGINNING", help="Only addresses that begin so, in capitals or not.", show_default=False
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="PART", help="Only names that hold this.", show_default=False)
    ] = None,
    staff: Annotated[
        bool | None, typer.Option("--staff/--customers", help="Only staff, or only those who are not.", show_default=False)
    ] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only open, or only deactivated accounts.", show_default=False)
    ] = None,
    claimed: Annotated[
        bool | None,
        typer.Option(
            "--claimed/--unclaimed", help="Only those somebody signs in with, or only the others.", show_default=False
        ),
    ] = None,
    limit: Limit = 50,
    after: Annotated[
        int | None, typer.Option("--after", metavar="ID", help="Only accounts behind this one.", show_default=False)
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List accounts in the order of their ids; unclaimed ones came with orders, and erased ones are left out."""

    async def work(services: "Services") -> None:
        from ordermill.accounts.ports import UserFilter

        wanted = UserFilter(email=email, name=name, is_staff=staff, is_active=active, claimed=claimed)
        _show_page(await services.accounts.search(wanted, limit=limit, after=after), as_json=as_json)

    in_book(work, database=database)


def activate(email: Email, *, database: Database = None) -> None:
    """Open an account that was deactivated."""
    _set(lambda accounts, user: accounts.set_active(user, active=True, actor=ACTOR), email, "active", database=database)


def deactivate(email: Email, *, database: Database = None) -> None:
    """Close an account: it is signed out everywhere, and sees and does nothing until it is activated again."""
    _set(lambda accounts, user: accounts.set_active(user, active=False, actor=ACTOR), email, "inactive", database=database)


def set_staff(
    email: Email,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Let them in, or not any more.", show_default=False)],
    database: Database = None,
) -> None:
    """Let somebody use the back office and the staff routes, or not any more; they are signed out everywhere."""
    what = "staff" if on else "no staff"
    _set(lambda accounts, user: accounts.set_staff(user, staff=on, actor=ACTOR), email, what, database=database)


def _set(change: "Callable[[Accounts, int], Awaitable[User]]", email: str, what: str, *, database: str | None) -> None:
    async def work(services: "Services") -> None:
        known = await services.accounts.by_email(email)
        user = await change(services.accounts, known.id or 0)
        say(f"User {user.id}: {user.email} is {what}.")

    in_book(work, database=database, writes=True)


def _show_page(page: "Page[User]", *, as_json: bool) -> None:
    from ordermill.accounts.drafts import UserResponse

    if as_json:
        data = [UserResponse.model_validate(user).model_dump(mode="json") for user in page.rows]
        print_json({"data": data, "has_more": page.more, "next_cursor": str(page.last.id) if page.last else None})
        return
    found = table("Users", "id", "e-mail", "name", "what", "since (UTC)", numbers=("id",))
    for user in page.rows:
        facts = (
            ("staff", user.is_staff), ("inactive", not user.is_active), ("unclaimed", not user.claimed),
        )  # fmt: skip
        what = ", ".join(word for word, holds in facts if holds) or "customer"
        found.rows.append((str(user.id), user.email, user.name, what, f"{user.created_at:%Y-%m-%d %H:%M}"))
    show(found)
    if not page.rows:
        say("There are no users.")
    elif page.last:
        say(f"There are more: --after {page.last.id}")


def _asked() -> str:
    if sys.stdin.isatty():
        answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return answer
    return sys.stdin.readline().rstrip("\r\n")


def _draft(email: str, name: str | None, password: str) -> "UserCreate":
    """
    Raises:
        Invalid: `invalid`, with the argument that is wrong; its value is not shown, as it may be the password.
    """
    from pydantic import SecretStr, ValidationError

    from ordermill.accounts.drafts import UserCreate
    from ordermill.kit.errors import Invalid

    try:
        return UserCreate(email=email, name=email.partition("@")[0] if name is None else name, password=SecretStr(password))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in problems)
        raise Invalid(told) from None
