"""`ordermill users`: accounts."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli.console import print_json, say, show
from ordermill.cli.options import ACTOR, Database, Json, Limit, in_book
from ordermill.cli.tables import table

if TYPE_CHECKING:
    from ordermill.accounts.drafts import UserCreate
    from ordermill.bootstrap import Services


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(name="users", help="Accounts.", no_args_is_help=True)
    group.command(epilog="Example: ordermill users create ada@example.com --name Ada --staff")(create)
    group.command("list", epilog="Example: ordermill users list --limit 20")(list_users)
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


def list_users(
    *,
    limit: Limit = 50,
    after: Annotated[
        int | None, typer.Option("--after", metavar="ID", help="Only accounts behind this one.", show_default=False)
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List accounts in the order of their ids; unclaimed ones came with orders."""

    async def work(services: "Services") -> None:
        from ordermill.accounts.drafts import UserResponse

        users = await services.accounts.list(limit=limit + 1, after=after)
        shown, more = users[:limit], len(users) > limit
        if as_json:
            data = [UserResponse.model_validate(user).model_dump(mode="json") for user in shown]
            print_json({"data": data, "has_more": more, "next_cursor": str(shown[-1].id) if more else None})
            return
        found = table("Users", "id", "e-mail", "name", "what", "since (UTC)", numbers=("id",))
        for user in shown:
            facts = (
                ("staff", user.is_staff), ("inactive", not user.is_active), ("unclaimed", not user.claimed),
            )  # fmt: skip
            what = ", ".join(word for word, holds in facts if holds) or "customer"
            found.rows.append((str(user.id), user.email, user.name, what, f"{user.created_at:%Y-%m-%d %H:%M}"))
        show(found)
        if not shown:
            say("There are no users.")
        elif more:
            say(f"There are more: --after {shown[-1].id}")

    in_book(work, database=database)


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
