# One word for everything done here; `make` alone lists the words.
#
# Each target needs only Python 3.11 or newer and make: the first one sets up .venv from requirements/dev.txt, whose
# hashes say which bytes are meant, wherever this machine's pip finds them. Another Python: `make test PYTHON=python3.12`.

PYTHON ?= python3
UV ?= $(shell command -v uv)
BIN := .venv/bin
READY := .venv/.ready

EXAMPLES := examples/shopify-orders.csv examples/orders.csv examples/orders.jsonl
DEMO_BOOK := sqlite:///.demo/ordermill.db

.DELETE_ON_ERROR:
.PHONY: help env demo serve test check static lint types imports rules format clients fuzz bench requirements clean

help: ## list these words
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

env: $(READY) ## set up .venv; every other word does it where needed

# Made again only when the pins or the package's own description change. --no-deps, since the pins are complete: pip before 23.3
# does not count `coverage==…` as a pin of `coverage[toml]` and stops as soon as there is a newer coverage.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Ordermill needs Python 3.11 or newer; name one, such as: make PYTHON=python3.12 env' >&2; exit 1; }
	@echo 'Setting up .venv; the first time takes about a minute.'
	@$(PYTHON) -m venv .venv || \
		{ echo 'This Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@{ [ -n "$(UV)" ] && $(UV) pip install --quiet --no-deps --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt; } || \
		$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## process the example exports into a book of their own, .demo/
	@rm -rf .demo && mkdir .demo
	@ORDERMILL_DATABASE_URL=$(DEMO_BOOK) $(BIN)/ordermill process $(EXAMPLES) --output .demo/report.json || { code=$$?; \
		[ $$code -eq 1 ] || exit $$code; \
		echo 'Some orders of the examples are wrong on purpose: they were rejected, with line and reason, and the rest was loaded.'; }
	@ORDERMILL_DATABASE_URL=$(DEMO_BOOK) $(BIN)/ordermill stats --year 2026 --currency USD

serve: $(READY) ## start the server on a book in the working directory, at http://127.0.0.1:8000
	@ORDERMILL_DATABASE_URL=$${ORDERMILL_DATABASE_URL:-sqlite:///ordermill.db} $(BIN)/ordermill serve

test: $(READY) ## run the tests, on a real SQLite, PostgreSQL and Redis
	$(BIN)/pytest -n 2 --cov --cov-branch --cov-fail-under=90

check: test static ## everything that must hold before a change is done

static: lint types imports rules ## what `check` does beside the tests

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports --no-logo

rules: $(READY)
	$(BIN)/python -m checks

format: $(READY) ## put the code into its one form
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clients: $(READY) ## generate a Python and a TypeScript client, and buy something with it
	$(BIN)/python -m checks.clients

fuzz: $(READY) ## search the API for what is not as described, a quarter of an hour for each caller and database
	FUZZ_SECONDS=$${FUZZ_SECONDS:-900} $(BIN)/pytest -n 2 tests/doors/api/test_contract.py

bench: $(READY) ## measure speed beside the limits of this machine
	$(BIN)/python benchmarks/process.py
	$(BIN)/python benchmarks/http.py

# Keeps the pins that still fit; `make requirements UPGRADE=--upgrade` takes the newest of everything.
requirements: ## compile the pins again from pyproject.toml (needs uv)
	@[ -n "$(UV)" ] || { echo 'This needs uv; install it, or name it, such as: make UV=$(BIN)/uv requirements' >&2; exit 1; }
	$(UV) $(COMPILE) pyproject.toml --output-file requirements/base.txt
	$(UV) $(COMPILE) pyproject.toml --extra dev --constraints requirements/base.txt --output-file requirements/dev.txt
	$(UV) $(COMPILE) requirements/clients.in --output-file requirements/clients.txt

COMPILE = pip compile --quiet --universal --python-version 3.11 --generate-hashes --annotation-style line $(UPGRADE) \
	--custom-compile-command 'make requirements'

clean: ## remove what was built, .venv too
	rm -rf .venv .demo build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
