"""Health, figures, and what a person sees first; and who sees it."""

import asyncio
from typing import Any

import httpx
import pytest
from servers import Postgres
from shop import Shop, open_shop

from ordermill.api.readiness import Readiness
from ordermill.config import DatabaseUrl
from ordermill.kit.errors import Unavailable

pytestmark = pytest.mark.anyio

PAGES = ("/", "/docs", "/docs/docs.js", "/docs/docs.css", "/docs/home.css", "/docs/swagger-ui.css", "/docs/swagger-ui.js")


def from_elsewhere(shop: Shop) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(shop.app, client=("198.51.100.7", 1))
    return httpx.AsyncClient(transport=transport, base_url="http://shop.test")


class TestHealth:
    async def test_is_alive_and_ready(self, shop: Shop) -> None:
        assert (await shop.client.get("/livez")).json() == {"status": "alive"}
        assert (await shop.client.get("/readyz")).json() == {"status": "ready"}

    async def test_is_not_ready_while_it_is_stopping(self, shop: Shop) -> None:
        shop.app.state.readiness.stopping = True
        answer = await shop.client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert (await shop.client.get("/livez")).status_code == 200

    async def test_is_not_ready_on_another_schema(self, shop: Shop) -> None:
        from sqlalchemy import text  # noqa: PLC0415  # beside what it is for

        statement = text("INSERT INTO django_migrations (app, name, applied) VALUES ('ordermill', '9999', CURRENT_TIMESTAMP)")
        await shop.services._database.write(lambda connection: connection.execute(statement))
        try:
            assert (await shop.client.get("/readyz")).status_code == 503
        finally:
            undo = text("DELETE FROM django_migrations WHERE name = '9999'")
            await shop.services._database.write(lambda connection: connection.execute(undo))

    async def test_the_database_is_away_for_a_while(self, postgres_book: DatabaseUrl, postgres: Postgres) -> None:
        async with open_shop(postgres_book) as shop:
            buyer = await shop.signed_in()
            staff = await shop.staff()
            postgres.stop()
            try:
                assert (await shop.client.get("/livez")).status_code == 200
                ready, refused = await shop.client.get("/readyz"), await shop.client.get("/users", headers=staff)
            finally:
                postgres.start()
            assert ready.status_code == 503
            assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
            assert str(postgres.directory) not in refused.text
            await asyncio.sleep(0.6)
            assert (await shop.client.get("/readyz")).status_code == 200
            assert (await shop.client.get("/users/me", headers=buyer)).status_code == 200


class TestReadiness:
    async def test_many_ask_and_the_database_is_asked_once(self) -> None:
        asked = 0

        async def require() -> None:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.01)

        readiness = Readiness()
        assert await asyncio.gather(*(readiness.ask(require) for _ in range(50))) == [True] * 50
        assert asked == 1

    async def test_what_takes_too_long_is_not_ready(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ordermill.api.readiness.WITHIN_S", 0.05)

        async def require() -> None:
            await asyncio.sleep(60)

        assert not await Readiness().ask(require)

    async def test_recovers_by_itself(self) -> None:
        now, well = 0.0, False

        async def require() -> None:
            if not well:
                raise Unavailable("Gone.")

        readiness = Readiness(monotonic=lambda: now)
        assert not await readiness.ask(require)
        well = True
        assert not await readiness.ask(require)  # asked a moment ago
        now = 1.0
        assert await readiness.ask(require)


class TestMetrics:
    async def test_count_requests_by_route_and_status(self, shop: Shop) -> None:
        await shop.client.get("/users/me")
        for path in ("/wp-login.php", "/.env", "/nowhere"):
            await shop.client.get(path)
        text = (await shop.client.get("/metrics")).text
        counted = 'ordermill_http_request_duration_seconds_count{method="GET",route="%s",status="%s"}'
        assert f"{counted % ('/users/me', 401)} 1.0" in text
        assert f"{counted % ('other', 404)} 3.0" in text
        assert "ordermill_http_requests_in_flight 1.0" in text
        assert "wp-login" not in text

    async def test_tell_how_busy_the_database_is(self, book_url: DatabaseUrl) -> None:
        async with open_shop(book_url) as shop:
            text = (await shop.client.get("/metrics")).text
        name = "writes_waiting" if book_url.embedded else "connections_in_use"
        assert f"ordermill_database_{name} 0.0" in text

    async def test_can_be_read_by_prometheus(self, shop: Shop) -> None:
        from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  # beside what it is for

        answer = await shop.client.get("/metrics")
        families = {family.name for family in text_string_to_metric_families(answer.text)}
        assert {"ordermill_http_request_duration_seconds", "process_resident_memory_bytes"} <= families


class TestWhoSeesIt:
    async def test_this_machine_does(self, shop: Shop) -> None:
        for path in ("/metrics", "/openapi.json", *PAGES):
            assert (await shop.client.get(path)).status_code == 200, path

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
    async def test_but_nobody_behind_a_proxy_on_it(self, shop: Shop, header: str) -> None:
        for path in ("/metrics", "/openapi.json"):
            assert (await shop.client.get(path, headers={header: "127.0.0.1"})).status_code == 401

    async def test_staff_and_keys_that_read_do_by_default(self, shop: Shop) -> None:
        buyer = await shop.signed_in()
        key = await shop.api_key("read")
        async with from_elsewhere(shop) as client:
            for path in ("/metrics", "/openapi.json"):
                assert (await client.get(path)).status_code == 401
                assert (await client.get(path, headers=buyer)).status_code == 403
                assert (await client.get(path, headers=await shop.staff())).status_code == 200
                assert (await client.get(path, headers=key)).status_code == 200
            assert (await client.get("/docs")).status_code == 200  # it asks for a key

    async def test_nobody_does_where_they_are_off(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, docs="off") as shop, from_elsewhere(shop) as client:
            staff = await shop.staff()
            for path in ("/metrics", "/openapi.json", "/docs"):
                assert (await client.get(path, headers=staff)).status_code == 404
            assert "/docs" not in (await client.get("/", headers={"Accept": "text/html"})).text.replace("/docs/home.css", "")

    async def test_everybody_does_where_they_are_public(self, sqlite_book: DatabaseUrl) -> None:
        async with open_shop(sqlite_book, docs="public") as shop, from_elsewhere(shop) as client:
            assert {(await client.get(path)).status_code for path in ("/metrics", "/openapi.json", "/docs")} == {200}


class TestPages:
    async def test_home_is_a_page_for_people_and_json_for_programs(self, shop: Shop) -> None:
        page = await shop.client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "Ordermill" in page.text
        program = await shop.client.get("/")
        assert program.json()["openapi"] == "/openapi.json"
        assert page.headers["vary"] == program.headers["vary"] == "Accept"

    async def test_no_page_needs_anybody_else_or_runs_anything_of_its_own(self, shop: Shop) -> None:
        for path in ("/", "/docs"):
            page = await shop.client.get(path, headers={"Accept": "text/html"})
            assert "http://" not in page.text
            assert "https://" not in page.text
            assert "<script>" not in page.text
            assert "style=" not in page.text
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy

    async def test_everything_that_a_page_names_is_there(self, shop: Shop) -> None:
        import re  # noqa: PLC0415  # beside what it is for

        for path in ("/", "/docs"):
            page = await shop.client.get(path, headers={"Accept": "text/html"})
            for found in re.findall(r'(?:href|src)="(/[^"]*)"', page.text):
                assert (await shop.client.get(found)).status_code == 200, found

    async def test_what_a_browser_has_already_is_not_sent_again(self, shop: Shop) -> None:
        first = await shop.client.get("/docs/swagger-ui.js")
        again = await shop.client.get("/docs/swagger-ui.js", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize("name", ["..%2F__init__.py", "__init__.py", "%2Fetc%2Fpasswd", "docs.html"])
    async def test_nothing_else_is_given_away(self, shop: Shop, name: str) -> None:
        assert (await shop.client.get(f"/docs/{name}")).status_code == 404


class TestOpenApi:
    @pytest.fixture
    async def described(self, shop: Shop) -> Any:
        return (await shop.client.get("/openapi.json")).json()

    async def test_is_3_1_and_names_each_operation_once(self, described: Any) -> None:
        assert described["openapi"] == "3.1.0"
        names = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
        assert len(names) == len(set(names))

    async def test_each_operation_says_what_may_go_wrong_with_an_example(self, described: Any) -> None:
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                answers = operation["responses"]
                assert operation["summary"], (method, path)
                assert {"500", "503"} <= set(answers), (method, path)
                for status, answer in answers.items():
                    if status >= "400":
                        content = answer["content"]["application/problem+json"]
                        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, (method, path, status)
                        assert content["examples"], (method, path, status)

    async def test_a_gate_is_described_as_it_is(self, described: Any) -> None:
        listed = described["paths"]["/users"]["get"]
        assert listed["security"] == [{"user": []}, {"key": []}]
        assert {"401", "403"} <= set(listed["responses"])
        registered = described["paths"]["/users"]["post"]
        assert "security" not in registered
        assert {"400", "409", "413", "415", "422", "429"} <= set(registered["responses"])

    async def test_no_reference_leads_nowhere(self, described: Any) -> None:
        import json  # noqa: PLC0415  # beside what it is for
        import re  # noqa: PLC0415

        for reference in set(re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(described))):
            found = described
            for part in reference.split("/"):
                found = found[part]
        assert "HTTPValidationError" not in described["components"]["schemas"]
