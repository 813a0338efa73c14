"""Imports over HTTP: an export is sent as it is, followed, its rejects repaired and sent again, and all of it taken back."""

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shop import Headers, Shop, open_shop
from sqlalchemy import select
from terminals import EXAMPLES, export

from ordermill.bootstrap import shelf_of
from ordermill.config import DatabaseUrl
from ordermill.imports.upload import Upload
from ordermill.storage.tables import ImportRow

__all__ = ["export"]

pytestmark = pytest.mark.anyio

MAP = """
[file]
name = "till"
currency = "EUR"
[order]
number = "{Bon}"
placed_at = "{Wann}"
[item]
sku = "{Was}"
quantity = "{Wieviel}"
unit_price = "{Preis}"
"""
TILL = "Bon,Wann,Was,Wieviel,Preis\n7,2026-11-22T10:00:00Z,TEA-1,2,4.50\n"
GOOD = "2026-11-22T10:00:00Z,EUR,ada@example.com,TEA-1,2,4.50"
WRONG = "2026-11-22T10:00:00Z,EUR,ada@example.com,TEA-1,0,4.50"
BOMB = gzip.compress(b"number,placed_at,currency,sku,quantity,unit_price\n" + (b"1" * 20_000 + b"\n") * 2_500)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads to a server database lie in the data directory: here, in one of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


async def send(
    shop: Shop, content: str | bytes, *, name: str = "orders.csv", headers: Headers | None = None, **said: Any
) -> Any:
    return await shop.client.post("/imports", files={"file": (name, content)}, data=said, headers=headers or await shop.staff())


async def ended(shop: Shop, id: str, *, state: str = "finished", emptied: bool = True) -> dict[str, Any]:
    """Follow an import until it is in this state, and its file is off the shelf."""
    for _ in range(600):
        run = (await shop.client.get(f"/imports/{id}", headers=await shop.staff())).json()
        if run["state"] == state and not (emptied and on_shelf(shop)):
            return dict(run)
        await asyncio.sleep(0.05)
    raise AssertionError(run)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(3000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("this took longer than half a minute")


async def brought_in(shop: Shop, content: str | bytes, **said: Any) -> dict[str, Any]:
    answer = await send(shop, content, **said)
    assert answer.status_code == 202, answer.text
    return await ended(shop, answer.json()["id"])


def on_shelf(shop: Shop) -> list[str]:
    directory = shelf_of(shop.services.settings).directory
    return [path.name for path in directory.iterdir() if not path.name.startswith("turn-")] if directory.is_dir() else []


async def imports(shop: Shop) -> list[dict[str, Any]]:
    return list((await shop.client.get("/imports", headers=await shop.staff())).json()["data"])


class TestAnUpload:
    @pytest.mark.parametrize("name", ["orders.csv", "orders.jsonl", "shopify-orders.csv"])
    async def test_does_what_the_command_does(self, shop: Shop, name: str) -> None:
        content = (EXAMPLES / name).read_bytes()
        told = (await send(shop, content, name=name, dry_run="true")).json()

        answer = await send(shop, content, name=name)
        run = await ended(shop, answer.json()["id"])

        assert answer.status_code == 202
        assert answer.headers["location"] == f"/imports/{run['id']}"
        assert (run["file"], run["size"], run["state"]) == (name, len(content), "finished")
        for part in ("orders", "lines", "customers", "money", "reasons", "adjustments"):
            assert run[part] == told[part]
        assert run["records"] == run["lines"]["read"] > 0
        assert run["orders"]["new"] > 0
        assert await shop.services.audit.run() == []

    async def test_says_who_sent_it(self, shop: Shop, export: Callable[..., str]) -> None:
        key = await shop.api_key("staff")
        answer = await send(shop, export(GOOD), headers=key)
        await ended(shop, answer.json()["id"])

        actors = await shop.services._database.read(
            lambda connection: connection.execute(select(ImportRow.actor)).scalars().all()
        )
        assert [actor.partition(":")[0] for actor in actors] == ["key"]

    async def test_of_the_same_file_again_changes_nothing(self, shop: Shop, export: Callable[..., str]) -> None:
        first = await brought_in(shop, export(GOOD))
        again = await brought_in(shop, export(GOOD))

        assert again["id"] != first["id"]
        assert again["orders"] == first["orders"] | {"new": 0, "unchanged": 1}

    async def test_of_the_same_file_twice_at_once_is_one_import(self, shop: Shop, export: Callable[..., str]) -> None:
        await shop.staff()
        answers = await asyncio.gather(*(send(shop, export(GOOD)) for _ in range(3)))

        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        await ended(shop, answers[0].json()["id"])
        assert len(await imports(shop)) == 1

    async def test_is_unpacked(self, shop: Shop, export: Callable[..., str]) -> None:
        run = await brought_in(shop, gzip.compress(export(GOOD).encode()), name="orders.csv.gz")

        assert run["orders"]["new"] == 1

    async def test_takes_the_options_of_the_command(self, shop: Shop, export: Callable[..., str]) -> None:
        guest = GOOD.replace("ada@example.com", "")
        run = await brought_in(shop, export(GOOD, guest), channel="market", no_guests="true")

        assert run["channel"] == "market"
        assert (run["orders"]["new"], run["orders"]["rejected"]) == (1, 1)

    async def test_takes_a_map(self, shop: Shop) -> None:
        run = await brought_in(shop, TILL, map=MAP)

        assert (run["format"], run["channel"], run["orders"]["new"]) == ("till", "till", 1)

    async def test_shows_a_file_name_and_makes_no_path_of_it(self, shop: Shop, export: Callable[..., str]) -> None:
        run = await brought_in(shop, export(GOOD), name="../../etc/passwd")

        assert run["file"] == "passwd"


class TestADryRun:
    async def test_reports_and_writes_nothing(self, shop: Shop, export: Callable[..., str]) -> None:
        answer = await send(shop, export(GOOD, WRONG), dry_run="true")

        assert answer.status_code == 200
        told = answer.json()
        assert (told["dry_run"], told["orders"]["new"], told["orders"]["rejected"]) == (True, 1, 1)
        assert told["files"][0]["import_id"] is None
        assert await imports(shop) == []
        assert on_shelf(shop) == []


class TestAFileThatCannotBeRead:
    @pytest.mark.parametrize(
        ("content", "said", "code"),
        [
            (b"sku,stock\nTEA-1,2\n", {}, "unrecognised"),
            (b"", {}, "empty_file"),
            (b"PK\x03\x04 an Excel file", {}, "unsuitable"),
            (BOMB, {}, "unpacks_too_large"),
            (gzip.compress(b"number,sku\n" * 100, mtime=0)[:-9], {}, "corrupt_gzip"),
            (b"number,placed_at,currency,sku,quantity,unit_price\n1,\xff\xfe\xfd,EUR,A,1,1\n" * 9, {}, "undecodable"),
            (TILL.encode(), {"map": "[order"}, "invalid_map"),
            (TILL.encode(), {"format": "nonsense"}, "unknown_format"),
            (TILL.encode(), {"map": MAP, "currency": "QQQ"}, "unknown_currency"),
        ],
    )
    async def test_is_refused_in_the_words_of_the_command(
        self, shop: Shop, content: bytes, said: dict[str, Any], code: str
    ) -> None:
        answer = await send(shop, content, **said)

        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
        assert await imports(shop) == []
        assert on_shelf(shop) == []


class TestABody:
    async def test_beyond_the_limit_is_refused_and_leaves_nothing(self, book_url: DatabaseUrl, anyio_backend: str) -> None:
        async with open_shop(book_url, upload_limit=100_000) as shop:
            answer = await send(shop, b"number\n" * 20_000)

            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
            assert await imports(shop) == []
            assert on_shelf(shop) == []

    async def test_that_does_not_say_its_length_is_refused_as_soon_as_it_is_too_long(
        self, book_url: DatabaseUrl, anyio_backend: str
    ) -> None:
        async def endless() -> Any:
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            for _ in range(1000):
                yield b"number\n" * 1000

        async with open_shop(book_url, upload_limit=100_000) as shop:
            headers = await shop.staff() | {"Content-Type": "multipart/form-data; boundary=b"}
            answer = await shop.client.post("/imports", content=endless(), headers=headers)

            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
            assert on_shelf(shop) == []

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (b"", 400, "body_malformed"),
            (b"no parts", 400, "body_malformed"),
            (b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut off', 400, "body_malformed"),
            (b'--b\r\nContent-Disposition: form-data; name="channel"\r\n\r\nx\r\n--b--\r\n', 422, "invalid"),
            (b'--b\r\nContent-Disposition: form-data; name="channel"\r\n\r\n' + b"x" * 5000 + b"\r\n--b--\r\n", 422, "invalid"),
        ],
    )
    async def test_that_is_no_form_with_a_file_is_refused(self, shop: Shop, body: bytes, status: int, code: str) -> None:
        headers = await shop.staff() | {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await shop.client.post("/imports", content=body, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert on_shelf(shop) == []

    async def test_of_another_kind_is_refused(self, shop: Shop) -> None:
        answer = await shop.client.post("/imports", json={"file": "orders.csv"}, headers=await shop.staff())

        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")

    async def test_with_a_misspelt_option_is_refused(self, shop: Shop, export: Callable[..., str]) -> None:
        answer = await send(shop, export(GOOD), chanel="market")

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/chanel"
        assert await imports(shop) == []

    @pytest.mark.parametrize(("scope", "status"), [(None, 401), ("read", 403), ("storefront", 403)])
    async def test_is_not_looked_at_from_somebody_else(self, shop: Shop, scope: str | None, status: int) -> None:
        headers = await shop.api_key(scope) if scope else {"X-Nobody": "1"}

        assert (await send(shop, "", headers=headers)).status_code == status


class TestRejects:
    async def test_are_repaired_and_sent_again(self, shop: Shop, export: Callable[..., str]) -> None:
        run = await brought_in(shop, export(GOOD, WRONG), name="mårch.csv")
        headers = await shop.api_key("read")

        answer = await shop.client.get(f"/imports/{run['id']}/rejects", headers=headers)

        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
        assert "filename*=UTF-8''m%C3%A5rch.rejects.csv" in answer.headers["content-disposition"]
        lines = answer.text.removeprefix("\ufeff").splitlines()
        assert lines[0] == "_line,_reason,number,placed_at,currency,customer_email,sku,quantity,unit_price"
        assert lines[1].startswith('3,"Line 3: quantity')
        assert lines[1].endswith(f'",T-2,{WRONG}')
        repaired = await brought_in(shop, answer.text.replace("TEA-1,0", "TEA-1,1"), channel=run["channel"])
        assert (repaired["orders"]["new"], repaired["orders"]["rejected"]) == (1, 0)

    async def test_of_documents_are_documents(self, shop: Shop) -> None:
        run = await brought_in(shop, (EXAMPLES / "orders.jsonl").read_bytes(), name="orders.jsonl")

        answer = await shop.client.get(f"/imports/{run['id']}/rejects", headers=await shop.staff())

        assert answer.headers["content-type"] == "application/jsonl"
        assert run["orders"]["rejected"] > 0
        assert "_reason" in json.loads(answer.text.removeprefix("\ufeff").splitlines()[0])

    async def test_are_none_where_nothing_was_refused(self, shop: Shop, export: Callable[..., str]) -> None:
        run = await brought_in(shop, export(GOOD))

        answer = await shop.client.get(f"/imports/{run['id']}/rejects", headers=await shop.staff())

        assert (answer.status_code, answer.json()["code"]) == (404, "no_rejects")


class TestUndo:
    async def test_takes_everything_back(self, shop: Shop, export: Callable[..., str]) -> None:
        run = await brought_in(shop, export(GOOD, GOOD))

        answer = await shop.client.post(f"/imports/{run['id']}/undo", headers=await shop.staff())
        undone = await ended(shop, run["id"], state="undone")

        events = await shop.services._unit().events.recent(type="order.removed")
        assert [event.actor.partition(":")[0] for event in events] == ["user", "user"]
        assert answer.status_code == 202
        assert answer.json()["state"] == "undoing"
        assert undone["undo"] == {"removed": 2, "restored": 0, "users_removed": 1, "left": 0}
        assert undone["left"] == []
        assert (await brought_in(shop, export(GOOD, GOOD)))["orders"]["new"] == 2

    async def test_names_what_it_had_to_leave(self, shop: Shop, export: Callable[..., str]) -> None:
        first = await brought_in(shop, export(GOOD))
        await brought_in(shop, export(GOOD.replace("4.50", "5.00")))

        await shop.client.post(f"/imports/{first['id']}/undo", headers=await shop.staff())
        undone = await ended(shop, first["id"], state="undone")

        assert undone["undo"]["left"] == 1
        assert [(left["number"], left["reason"]) for left in undone["left"]] == [("T-1", "updated_later")]

    async def test_of_what_is_undone_is_refused(self, shop: Shop, export: Callable[..., str]) -> None:
        run = await brought_in(shop, export(GOOD))
        await shop.client.post(f"/imports/{run['id']}/undo", headers=await shop.staff())
        await ended(shop, run["id"], state="undone")

        answer = await shop.client.post(f"/imports/{run['id']}/undo", headers=await shop.staff())

        assert (answer.status_code, answer.json()["code"]) == (409, "import_undone")
        assert on_shelf(shop) == []

    async def test_is_for_staff(self, shop: Shop, export: Callable[..., str]) -> None:
        run = await brought_in(shop, export(GOOD))

        answer = await shop.client.post(f"/imports/{run['id']}/undo", headers=await shop.api_key("read"))

        assert answer.status_code == 403
        assert (await imports(shop))[0]["state"] == "finished"


class TestTheList:
    async def test_is_read_in_pages_newest_first(self, shop: Shop, export: Callable[..., str]) -> None:
        runs = [(await brought_in(shop, export(GOOD, first=n)))["id"] for n in range(3)]
        headers = await shop.api_key("read")

        first = (await shop.client.get("/imports?limit=2", headers=headers)).json()
        second = (await shop.client.get(f"/imports?limit=2&cursor={first['next_cursor']}", headers=headers)).json()

        assert [run["id"] for run in (*first["data"], *second["data"])] == runs[::-1]
        assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)

    async def test_knows_no_import_that_there_is_not(self, shop: Shop) -> None:
        for path in ("", "/rejects"):
            answer = await shop.client.get(f"/imports/0192f1c4-7a1e-7000-8000-000000000001{path}", headers=await shop.staff())
            assert (answer.status_code, answer.json()["code"]) == (404, "import_not_found")


class TestARestart:
    async def test_goes_on_with_what_lies_on_the_shelf(
        self, book_url: DatabaseUrl, anyio_backend: str, export: Callable[..., str]
    ) -> None:
        async with open_shop(book_url) as shop:
            await shop.staff()
            sending = asyncio.create_task(send(shop, export(GOOD)))
            await until(lambda: any(not each.startswith((".", "incoming-")) for each in on_shelf(shop)))
        answer = await sending

        async with open_shop(book_url) as again:
            headers = await again.sign_in("staff@example.com")
            await until(lambda: not on_shelf(again))
            runs = (await again.client.get("/imports", headers=headers)).json()["data"]

        assert answer.status_code in {202, 503}
        assert [(run["state"], run["orders"]["new"]) for run in runs] == [("finished", 1)]

    async def test_does_not_do_again_what_was_finished(
        self, book_url: DatabaseUrl, anyio_backend: str, export: Callable[..., str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that is killed between the end of a run and the removal of its file finds the file again."""
        with monkeypatch.context() as killed:
            killed.setattr(Upload, "remove", lambda _: None)
            async with open_shop(book_url) as shop:
                answer = await send(shop, export(GOOD))
                await ended(shop, answer.json()["id"], emptied=False)

        async with open_shop(book_url) as again:
            headers = await again.sign_in("staff@example.com")
            await until(lambda: not on_shelf(again))
            runs = (await again.client.get("/imports", headers=headers)).json()["data"]

        assert [run["id"] for run in runs] == [answer.json()["id"]]
