"""`ordermill keys`: API keys for programs."""

from typing import TYPE_CHECKING, Annotated

import typer

from ordermill.cli.console import narrate, print_json, say, show
from ordermill.cli.options import ACTOR, Database, Json, Limit, identity, in_book
from ordermill.cli.tables import table

if TYPE_CHECKING:
    from ordermill.accounts.api_keys import ApiKey, ApiKeyCreate
    from ordermill.bootstrap import Services


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(name="keys", help="API keys, with which programs come in.", no_args_is_help=True)
    group.command(epilog="Example: ordermill keys create Storefront --scope storefront")(create)
    group.command("list", epilog="Example: ordermill keys list")(list_keys)
    group.command(epilog="Example: ordermill keys revoke 0192f1c4-7a1e-7000-8000-000000000001")(revoke)
    app.add_typer(group)


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it, such as the program's name.")],
    *,
    scope: Annotated[
        str,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="staff (all that staff may do), storefront (place orders for customers) or read (see what staff see).",
            show_default=False,
        ),
    ],
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Make an API key and print its secret, which is shown this once."""
    draft = _draft(name, scope)

    async def work(services: "Services") -> None:
        key, secret = await services.api_keys.create(draft, actor=ACTOR)
        if as_json:
            print_json({**_shape(key), "secret": secret})
            return
        narrate(f"Key {key.id}: {key.name}, {key.scope.value}. Its secret is not shown again:")
        say(secret)

    in_book(work, database=database, writes=True)


def list_keys(
    *,
    limit: Limit = 50,
    after: Annotated[
        str | None, typer.Option("--after", metavar="ID", help="Only keys behind this one.", show_default=False)
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List the API keys that work, in the order of their making; secrets are kept nowhere."""
    behind = None if after is None else identity(after, what="API key")

    async def work(services: "Services") -> None:
        page = await services.api_keys.page(limit=limit, after=behind)
        if as_json:
            cursor = str(page.last.id) if page.last else None
            print_json({"data": [_shape(key) for key in page.rows], "has_more": page.more, "next_cursor": cursor})
            return
        found = table("API keys", "id", "name", "scope", "by", "since (UTC)")
        for key in page.rows:
            found.rows.append((str(key.id), key.name, key.scope.value, key.created_by, f"{key.created_at:%Y-%m-%d %H:%M}"))
        show(found)
        if not page.rows:
            say("There are no API keys.")
        elif page.last:
            say(f"There are more: --after {page.last.id}")

    in_book(work, database=database)


def revoke(
    id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")],
    *,
    database: Database = None,
) -> None:
    """Let an API key work no more, from its next request on."""
    key = identity(id, what="API key")

    async def work(services: "Services") -> None:
        await services.api_keys.revoke(key, actor=ACTOR)
        say(f"Key {key} is revoked.")

    in_book(work, database=database, writes=True)


def _shape(key: "ApiKey") -> dict[str, str]:
    return {
        "id": str(key.id), "name": key.name, "scope": key.scope.value, "created_at": f"{key.created_at:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip


def _draft(name: str, scope: str) -> "ApiKeyCreate":
    """
    Raises:
        Invalid: `invalid`, with the word that is wrong.
    """
    from pydantic import ValidationError

    from ordermill.accounts.api_keys import ApiKeyCreate
    from ordermill.kit.errors import Invalid

    try:
        return ApiKeyCreate.model_validate({"name": name, "scope": scope})
    except ValidationError as error:
        told = "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors(include_input=False))
        raise Invalid(f"{told}.") from None
