"""The repository keeps its own laws, and each law's check finds what breaks it."""

import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from checks import addresses, dependencies, habits, money, size
from checks.__main__ import RULES, main
from checks.tree import Rule, Tree

ROOT = Path(__file__).resolve().parents[2]
Found = Callable[[Rule, str, str], list[str]]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """Write one file into an otherwise empty repository and return what a rule says of it."""

    def found(rule: Rule, path: str, text: str) -> list[str]:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return [f"{finding.line}: {finding.sentence}" for finding in rule(Tree(tmp_path))]

    return found


class TestThisRepository:
    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__module__)
    def test_keeps_every_rule(self, rule: Rule) -> None:
        assert [str(finding) for finding in rule(Tree(ROOT))] == []

    def test_is_looked_at_as_a_whole(self) -> None:
        paths = {file.path for file in Tree(ROOT).files}
        assert {"pyproject.toml", "Makefile", "requirements/dev.txt", "src/ordermill/kit/money.py"} <= paths

    @pytest.mark.skipif(shutil.which("git") is None, reason="without git there is nothing that is ignored")
    def test_what_git_ignores_is_not_looked_at(self, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)  # noqa: S607  # the git on the PATH is meant
        (tmp_path / ".gitignore").write_text("*.db\n")
        (tmp_path / "book.db").write_text("text")
        (tmp_path / "new.py").write_text("")
        assert [file.path for file in Tree(tmp_path).files] == [".gitignore", "new.py"]

    @pytest.mark.parametrize("pins", ["base", "dev"])
    def test_every_pin_has_hashes(self, pins: str) -> None:
        entries = (ROOT / f"requirements/{pins}.txt").read_text().replace("\\\n", " ").splitlines()
        packages = [entry for entry in entries if not entry.lstrip().startswith("#")]
        assert len(packages) > 20
        assert [entry for entry in packages if "==" not in entry or "--hash=sha256:" not in entry] == []

    def test_every_declared_dependency_is_pinned(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        pinned = (ROOT / "requirements/dev.txt").read_text()
        names = [dependencies.name_of(each) for each in [*project["dependencies"], *project["optional-dependencies"]["dev"]]]
        assert [name for name in names if f"\n{name}==" not in pinned] == []


class TestRunningThem:
    def test_prints_each_finding_and_exits_with_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = []\noptional-dependencies.dev = []\n")
        (tmp_path / "src").mkdir()
        assert main(tmp_path) == 0
        (tmp_path / "src/x.py").write_text("\ncreate_engine(url, echo=True)\n")
        assert main(tmp_path) == 1
        assert capsys.readouterr().out.splitlines() == [
            "1 files, 5 rules, 0 findings.",
            "src/x.py:2: Echoed SQL puts e-mail addresses and hashes into the log.",
            "2 files, 5 rules, 1 findings.",
        ]


class TestAddresses:
    @pytest.mark.parametrize(
        "text",
        [
            "see https://py" + "pi.org/project/polars",
            "https://files.python" + "hosted.org/x.whl",
            "https://mirror.example.com/" + "simple/polars/",
            "https://mirror.example.com/packages" + "/0a/1b/2c.whl",
            "pip install --extra-index" + "-url X",
            "--find" + "-links wheels",
        ],
    )
    def test_no_address_or_option_of_a_package_index(self, found: Found, text: str) -> None:
        (sentence,) = found(addresses.find, "docs/notes.md", f"first\n{text}\n")
        assert sentence.startswith("2: ")
        assert "package index" in sentence

    def test_no_home_directory(self, found: Found) -> None:
        path = "/ho" + "me/ada/export.csv"
        assert found(addresses.find, "docs/notes.md", f"process {path}") == [f"1: {path!r} is a path of one machine."]

    def test_no_path_that_is_there_only_on_this_machine(self, found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/disk7/exports")
        assert found(addresses.find, "docs/notes.md", "lies in /disk7/exports") == [
            "1: '/disk7/exports' is a path of one machine."
        ]
        assert found(addresses.find, "docs/notes.md", "lies in /disk8/exports") == []

    def test_paths_that_every_machine_has_and_routes_are_fine(self, found: Found) -> None:
        assert found(addresses.find, "docs/notes.md", "#!/usr/bin/env, /tmp/x/y, GET /users/me, https://example.com/a/b") == []

    def test_pins_are_names_versions_and_hashes_only(self, found: Found) -> None:
        pins = "polars==2.1.0 \\\n    --hash=sha256:00\n--no-binary polars\nx @ file:///wheels/x.whl\n"
        assert [sentence.split(":")[0] for sentence in found(addresses.find, "requirements/base.txt", pins)] == ["3", "4"]


class TestMoney:
    @pytest.mark.parametrize(
        "line",
        [
            "total: float = 0",
            "def total() -> float | None: ...",
            "total = 0.1",
            "total = float(text)",
            "total = frame.cast(pl.Float64)",
            "total = 0.1  # allow float:",
        ],
    )
    def test_no_float_where_money_is_computed(self, found: Found, line: str) -> None:
        (sentence,) = found(money.find, "src/ordermill/orders/pricing.py", f"\n{line}\n")
        assert sentence.startswith("2: ")

    def test_a_line_may_say_why(self, found: Found) -> None:
        assert found(money.find, "src/ordermill/imports/report.py", "seconds: float  # allow float: a duration\n") == []

    def test_refusing_floats_needs_their_name(self, found: Found) -> None:
        assert found(money.find, "src/ordermill/kit/money.py", "refused = isinstance(value, float)\n") == []

    def test_floats_elsewhere_are_fine(self, found: Found) -> None:
        assert found(money.find, "src/ordermill/caching/redis.py", "timeout_s = 0.1\n") == []

    def test_no_floating_point_column_anywhere(self, found: Found) -> None:
        (sentence,) = found(money.find, "src/ordermill/schema/models.py", "total = models.FloatField()\n")
        assert "BIGINT" in sentence


class TestHabits:
    @pytest.mark.parametrize(
        "call", ["datetime.now(UTC)", "datetime.datetime.utcnow()", "date.today()", "time.time()", "timezone.now()"]
    )
    def test_only_the_clock_asks_the_time(self, found: Found, call: str) -> None:
        (sentence,) = found(habits.find, "src/ordermill/orders/service.py", f"at = {call}\n")
        assert "kit/clock.py" in sentence
        assert found(habits.find, "src/ordermill/kit/clock.py", f"at = {call}\n") == [sentence]

    def test_the_clock_asks_and_durations_are_monotonic(self, found: Found) -> None:
        assert found(habits.find, "src/ordermill/kit/clock.py", "at = datetime.now(UTC)\nstarted = time.monotonic()\n") == []

    def test_tables_come_from_migrations_alone(self, found: Found) -> None:
        (sentence,) = found(habits.find, "src/ordermill/storage/engine.py", "metadata.create_all(engine)\n")
        assert "migrations" in sentence

    def test_sql_is_never_echoed(self, found: Found) -> None:
        (sentence,) = found(habits.find, "src/ordermill/storage/engine.py", "create_engine(url, echo=True)\n")
        assert "log" in sentence

    def test_the_kit_leans_on_nothing(self, found: Found) -> None:
        text = (
            "import json\nimport pydantic\nfrom ordermill.kit import money\nimport polars\nfrom ordermill.orders import model\n"
        )
        assert [sentence.split(":")[0] for sentence in found(habits.find, "src/ordermill/kit/text.py", text)] == ["4", "5"]


class TestSize:
    def test_a_file_has_at_most_400_lines(self, found: Found) -> None:
        assert found(size.find, "src/ordermill/orders.py", "\n" * 400) == []
        (sentence,) = found(size.find, "src/ordermill/orders.py", "\n" * 401)
        assert "401 lines" in sentence

    def test_a_function_has_at_most_60_lines(self, found: Found) -> None:
        assert found(size.find, "tests/test_x.py", "def place():\n" + "    x = 1\n" * 59) == []
        (sentence,) = found(size.find, "tests/test_x.py", "def place():\n" + "    x = 1\n" * 60)
        assert "`place` has 61 lines" in sentence

    def test_migrations_are_as_long_as_they_are(self, found: Found) -> None:
        assert found(size.find, "src/ordermill/schema/migrations/0001_the_book.py", "\n" * 500) == []


class TestDependencies:
    PROJECT = '[project]\ndependencies = ["polars>=2"]\noptional-dependencies.dev = ["pytest>=9"]\n'

    def test_each_has_its_reason(self, found: Found, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text(self.PROJECT)
        (sentence,) = found(dependencies.find, "docs/dependencies.md", "| `polars` | it computes |\n")
        assert sentence.startswith("1: pytest has no reason")

    def test_what_is_imported_is_declared(self, found: Found, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text(self.PROJECT)
        found(dependencies.find, "docs/dependencies.md", "`polars` `pytest`\n")
        imports = "import json\nimport polars\nfrom ordermill.kit import money\nfrom babel import Locale\n"
        assert found(dependencies.find, "src/ordermill/x.py", imports) == [
            "4: babel is imported but not among the dependencies in pyproject.toml."
        ]
