"""API keys over HTTP: made and revoked by staff, each good for its scope."""

import pytest
from shop import Shop

pytestmark = pytest.mark.anyio


class TestCreate:
    async def test_shows_the_secret_once(self, shop: Shop) -> None:
        staff = await shop.staff()

        answer = await shop.client.post("/api-keys", json={"name": " Storefront ", "scope": "storefront"}, headers=staff)

        made = answer.json()
        assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
        assert set(made) == {"id", "name", "scope", "secret", "created_at"}
        assert (made["name"], made["scope"], made["secret"][:3]) == ("Storefront", "storefront", "om_")
        listed = await shop.client.get("/api-keys", headers=staff)
        assert listed.json() == {
            "data": [{name: made[name] for name in ("id", "name", "scope", "created_at")}],
            "has_more": False,
            "next_cursor": None,
        }
        assert made["secret"] not in listed.text

    async def test_the_secret_opens_what_its_scope_allows(self, shop: Shop) -> None:
        for scope, status in (("staff", 200), ("read", 403), ("storefront", 403)):
            assert (await shop.client.get("/api-keys", headers=await shop.api_key(scope))).status_code == status

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"name": "x"}, {"name": "x", "scope": "root"}, {"name": "", "scope": "read"},
            {"name": "x" * 101, "scope": "read"}, {"name": "x", "scope": "read", "secret": "mine"},
            {"name": "nul\0", "scope": "read"}, {"name": 1, "scope": "read"},
        ],
    )  # fmt: skip
    async def test_refuses_another_shape(self, shop: Shop, body: dict[str, object]) -> None:
        staff = await shop.staff()
        answer = await shop.client.post("/api-keys", json=body, headers=staff)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert (await shop.client.get("/api-keys", headers=staff)).json()["data"] == []

    async def test_is_for_staff(self, shop: Shop) -> None:
        body = {"name": "x", "scope": "staff"}
        assert (await shop.client.post("/api-keys", json=body)).status_code == 401
        assert (await shop.client.post("/api-keys", json=body, headers=await shop.signed_in())).status_code == 403
        assert (await shop.client.get("/api-keys", headers=await shop.staff())).json()["data"] == []


class TestList:
    async def test_pages(self, shop: Shop) -> None:
        staff = await shop.staff()
        for number in range(3):
            await shop.client.post("/api-keys", json={"name": f"{number}", "scope": "read"}, headers=staff)

        first = (await shop.client.get("/api-keys?limit=2", headers=staff)).json()
        rest = (await shop.client.get("/api-keys", params={"limit": 2, "cursor": first["next_cursor"]}, headers=staff)).json()

        assert [key["name"] for key in (*first["data"], *rest["data"])] == ["0", "1", "2"]
        assert (first["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)


class TestRevoke:
    async def test_lets_a_key_work_no_more(self, shop: Shop) -> None:
        staff = await shop.staff()
        made = (await shop.client.post("/api-keys", json={"name": "x", "scope": "staff"}, headers=staff)).json()
        program = {"Authorization": f"Bearer {made['secret']}"}
        assert (await shop.client.get("/api-keys", headers=program)).status_code == 200

        answer = await shop.client.delete(f"/api-keys/{made['id']}", headers=staff)

        assert (answer.status_code, answer.content) == (204, b"")
        assert (await shop.client.get("/api-keys", headers=program)).status_code == 401
        again = await shop.client.delete(f"/api-keys/{made['id']}", headers=staff)
        assert (again.status_code, again.json()["code"]) == (404, "api_key_not_found")

    @pytest.mark.parametrize("id", ["nothing", "7", "0192f1c4-7a1e-7000-8000-000000000001"])
    async def test_a_key_that_is_not_there_is_a_404(self, shop: Shop, id: str) -> None:
        assert (await shop.client.delete(f"/api-keys/{id}", headers=await shop.staff())).status_code == 404
