"""Imports over HTTP: the same job as `process`, done by a process of its own beside the server; see imports/uploads."""

from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from ordermill.accounts.principal import Principal
from ordermill.api.deps import READER, EntityId, Reader, ServicesDep, Staff
from ordermill.api.multipart import FILE, MAP, Form, receive, too_large
from ordermill.api.paging import NEXT_LINK, PagingDep
from ordermill.api.problems import refusals
from ordermill.api.schemas.imports import DryRun, ImportDetail, ImportList, ImportOptions, ImportShape
from ordermill.bootstrap import Services
from ordermill.imports.model import Import
from ordermill.imports.rejects import default_name, repairable, table_of
from ordermill.imports.report import import_shape, left_shape
from ordermill.imports.upload import Sent
from ordermill.kit.errors import Invalid, NotFound
from ordermill.kit.pages import Page

router = APIRouter(tags=["imports"])

LEFT_SHOWN: Final = 100

_FILE: Final = (
    "number,placed_at,currency,customer_email,sku,name,quantity,unit_price,total\n"
    "1001,2026-11-22T10:00:00Z,EUR,ada@example.com,TEA-1,Tea,2,4.50,9.00\n"
)
_OPTIONS: Final = ImportOptions.model_json_schema()["properties"]
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FILE],
                    "title": "ImportUpload",
                    "additionalProperties": False,
                    "examples": [{FILE: _FILE, "channel": "market"}],
                    "properties": {
                        FILE: {"type": "string", "format": "binary", "description": "The order file, .gz too."},
                        **_OPTIONS,
                    },
                }
            }
        },
    }
}
_UNREADABLE: Final = (
    "unrecognised", "unsuitable", "undecodable", "unknown_encoding", "unknown_format", "unknown_timezone", "unknown_currency",
    "invalid_map", "map_column_missing", "empty_file", "malformed_header", "duplicate_column", "corrupt_gzip",
    "unpacks_too_large", "line_too_long", "order_too_long", "no_room", "format_said_twice",
)  # fmt: skip
_ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "The file can be read and is being brought in.", "model": ImportShape},
    200: {"description": "A dry run's report; nothing was written.", "model": DryRun},
}


@router.post(
    "/imports",
    summary="Bring in an order file",
    status_code=202,
    response_model=None,
    responses={
        **_ACCEPTED,
        **refusals(415, "body_malformed", "body_too_large", "imports_busy", "upload_unwritable", *_UNREADABLE),
    },
    openapi_extra=_BODY,
)
async def create_import(request: Request, services: ServicesDep, principal: Staff) -> Response:
    """
    Upload an export as it is; it is recognised, validated and loaded, once and only once, as by `ordermill process`.

    Answers as soon as the file has been read through once and its run is open; `GET /imports/{id}` says how far it is.
    A file that cannot be read is refused, and nothing of it is left. The same file sent twice meanwhile is one import.
    """
    limit = services.settings.upload_limit
    too_large(request, limit=limit)
    async with services.uploads.receiving() as incoming:
        form = await receive(request, incoming)
        sent = _sent(form, principal, services)
        if sent.dry_run:
            report = await services.uploads.compare(incoming, sent)
            return _json(DryRun.model_validate(report), status=200)
        run = await services.uploads.bring_in(incoming, sent)
    answer = _json(ImportShape.model_validate(_shape(run, services)), status=202)
    answer.headers["Location"] = f"/imports/{run.id}"
    return answer


@router.get("/imports", summary="List imports", responses={200: {"headers": NEXT_LINK}, **refusals("cursor_invalid")})
async def list_imports(services: ServicesDep, paging: PagingDep, principal: Reader) -> ImportList:
    """Return the runs of this order book, newest first, those of the command line too."""
    behind = paging.behind(UUID, principal=principal)
    found = await services.runs.recent(limit=paging.limit + 1, after=behind[0] if behind else None)
    page = Page.cut(found, limit=paging.limit)
    return ImportList.model_validate(
        paging.listed(page, key=lambda run: (run.id,), shape=lambda run: _shape(run, services), principal=principal)
    )


@router.get(
    "/imports/{id}",
    summary="Show an import and how far it is",
    responses=refusals("import_not_found"),
    dependencies=[Depends(READER)],
)
async def get_import(id: EntityId, services: ServicesDep) -> ImportDetail:
    """Return one run: its state, what it has done so far, and what its undo had to leave."""
    run = await services.runs.get(id)
    left = []
    if run.state == "undone" and run.undo is not None and run.undo.left:
        async for each in services.undoing.left(id):
            left.append(left_shape(each))
            if len(left) == LEFT_SHOWN:
                break
    return ImportDetail.model_validate({**_shape(run, services), "left": left})


@router.get(
    "/imports/{id}/rejects",
    summary="Download the rejects of an import",
    response_class=StreamingResponse,
    dependencies=[Depends(READER)],
    responses={
        200: {
            "description": "What was refused, as it stood, with `_line` and `_reason` before each record.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "_line,_reason,number,sku,quantity\r\n4,quantity: write a whole number.,S-2001,TEA-1,0\r\n",
                },
                "application/jsonl": {
                    "schema": {"type": "string"},
                    "example": '{"_line": 4, "_reason": "items: an order needs at least one item.", "number": "S-2001"}\n',
                },
            },
        },
        **refusals("import_not_found", "no_rejects"),
    },
)
async def download_import_rejects(id: EntityId, services: ServicesDep) -> StreamingResponse:
    """
    Return a file that can be repaired and sent again: both added columns are ignored then.

    Its records are exactly as they came, also where a spreadsheet would take a cell for a formula; open a file from
    somebody else as text there.
    """
    run = await services.runs.get(id)
    table = table_of(run.file)
    pieces = repairable(services.runs.rejects(id), table=table)
    first = await anext(pieces, None)
    if first is None:
        raise NotFound("This import has no rejects.", code="no_rejects")
    name = default_name(run.file.name, extension=".csv" if table else ".jsonl")
    return StreamingResponse(
        _from(first, pieces),
        media_type="text/csv; charset=utf-8; header=present" if table else "application/jsonl",
        headers={"Content-Disposition": _attachment(name)},
    )


@router.post(
    "/imports/{id}/undo",
    summary="Take an import back",
    status_code=202,
    responses=refusals("import_not_found", "import_unfinished", "import_undone", "upload_unwritable"),
)
async def undo_import(id: EntityId, services: ServicesDep, principal: Staff, response: Response) -> ImportShape:
    """
    Remove the orders that it created and nobody changed since, and give those that it updated what they had before.

    Goes on by itself, also after a restart; `GET /imports/{id}` says how far it is. Afterwards the file may be sent again.
    """
    run = await services.undo_requests.ask(id, actor=principal.actor)
    response.headers["Location"] = f"/imports/{id}"
    return ImportShape.model_validate(_shape(run, services))


def _sent(form: Form, principal: Principal, services: Services) -> Sent:
    """
    Judge what was said beside a file.

    Raises:
        RequestValidationError: a field that there is not, or whose value cannot be meant.
        Invalid: there is no file, or `map` and `format` at once.
    """
    if form.file is None:
        raise Invalid.field(f"/{FILE}", "This is needed.")
    # What a form leaves empty says nothing.
    said = {name: text for name, text in form.fields.items() if text}
    try:
        options = ImportOptions.model_validate(said)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error
    if options.map is not None and options.format is not None:
        raise Invalid.field(
            "/format", "The map says already how the file is read; send one of the two.", code="format_said_twice"
        )
    return Sent(
        file=form.file,
        actor=principal.actor,
        default_currency=services.settings.currency,
        default_timezone=services.settings.timezone,
        map_name=form.map_name if MAP in said else None,
        guests=not options.no_guests,
        merge=not options.no_merge,
        **options.model_dump(exclude={"no_guests", "no_merge"}),
    )


def _shape(run: Import, services: Services) -> dict[str, Any]:
    until = run.finished_at or services.clock.now()
    return {**import_shape(run), "seconds": round((until - run.started_at).total_seconds(), 2)}


def _json(model: DryRun | ImportShape, *, status: int) -> Response:
    return Response(model.model_dump_json(), status_code=status, media_type="application/json")


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _attachment(name: str) -> str:
    """Return the value of Content-Disposition for a file's name, whatever it is made of (RFC 6266, 4.3)."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._- ") else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
