"""
The description and the server say the same: Schemathesis goes over the whole API and finds nothing.

`make fuzz` does it for as long as `FUZZ_SECONDS` says, with other requests each time.
"""

import os
from typing import Final

import pytest
from fuzzing import Caller, fuzz, prepare
from serving import serving

from ordermill.config import DatabaseUrl

pytestmark = pytest.mark.slow

SECONDS: Final = int(os.environ.get("FUZZ_SECONDS", "0")) or None
# Every check there is, but for max_response_time, which is no part of the contract.
CHECKS: Final = {
    "allow_header_conformance", "content_type_conformance", "documented_code", "ensure_resource_availability", "ignored_auth",
    "missing_required_header", "negative_data_rejection", "not_a_server_error", "object_level_authorization",
    "positive_data_acceptance", "response_headers_conformance", "response_schema_conformance", "status_code_conformance",
    "unsupported_method", "use_after_free",
}  # fmt: skip


class TestSchemathesis:
    def test_finds_nothing_as_staff(self, book_url: DatabaseUrl) -> None:
        with serving(book_url) as server:
            found = fuzz(server, prepare(server)["staff"], examples=4, walks=12, seconds=SECONDS)
        assert "\n\n".join(found.failures) == ""
        assert found.checks == CHECKS
        assert set(found.cases) == {"examples", "coverage", "fuzzing", "stateful"}
        assert found.followed, "The walks followed no link."
        # What is placed, made and changed is as much a part of it as what is refused.
        assert min(found.answered[status] for status in (200, 201, 204)) > 10

    @pytest.mark.parametrize("caller", ["user", "storefront"])
    def test_finds_nothing_as_a_customer_or_a_storefront(self, book_url: DatabaseUrl, caller: Caller) -> None:
        """The bounds of each field are those that staff have met, so they are left out here."""
        with serving(book_url) as server:
            found = fuzz(server, prepare(server)[caller], examples=4, walks=20, coverage=False, seconds=SECONDS)
        assert "\n\n".join(found.failures) == ""
        assert set(found.cases) == {"examples", "fuzzing", "stateful"}
