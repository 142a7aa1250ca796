# `make` alone lists the targets. Everything lives in .venv/ and var/; nothing else is touched.

VENV := .venv
PY := $(VENV)/bin/python
SDK := tests/sdk/node_modules/.package-lock.json
PEER := bench/peers/oidc_provider/node_modules/.package-lock.json
PIP := $(PY) -m pip --disable-pip-version-check --quiet install --require-hashes
JOBS ?= auto

.DEFAULT_GOAL := help
.PHONY: help run demo test bench lint format messages lock browser wrk clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run.stamp ## Serve on http://127.0.0.1:8000, with the demo organization in a new database
	@exec $(PY) manage.py serve --demo

demo: $(VENV)/run.stamp ## Give the demo people and clients fresh credentials and print them
	@$(PY) manage.py demo

test: $(VENV)/dev.stamp $(SDK) browser ## Run the tests (ARGS="-k wizard" chooses some)
	$(PY) manage.py test -n $(JOBS) $(ARGS)

bench: $(VENV)/run.stamp $(VENV)/bench.stamp $(PEER) wrk ## Compare with others, and write bench/results.md (ARGS=--quick tries it)
	$(PY) -m bench.compare $(ARGS)

lint: $(VENV)/dev.stamp ## Check style, types, migrations and the production settings
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy .
	STATE_DIR=$(VENV)/lint-state $(PY) manage.py makemigrations --check --dry-run
	STATE_DIR=$(VENV)/lint-state BASE_URL=https://login.example.com EMAIL_URL=smtp://localhost:25 $(PY) manage.py check --deploy --fail-level WARNING

format: $(VENV)/dev.stamp ## Put the code into shape
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

messages: $(VENV)/dev.stamp ## Bring the catalogues in locale/ up to date with the source
	$(PY) manage.py messages

lock: $(VENV)/dev.stamp ## Write the lock files anew from pyproject.toml
	$(VENV)/bin/uv pip compile pyproject.toml --universal --no-strip-extras --generate-hashes --python-version 3.11 --no-header -q -o requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml --group dev --universal --no-strip-extras --generate-hashes --python-version 3.11 --no-header -q -o requirements-dev.lock
	$(VENV)/bin/uv pip compile bench/requirements.in --universal --no-strip-extras --generate-hashes --python-version 3.11 --no-header -q -o bench/requirements.lock

browser: # Chromium for the journeys: the machine's own, else Debian's
	@sh tests/get-browser

wrk: # What the bench loads the servers with: the machine's own, else Debian's
	@sh bench/get-wrk

clean: ## Remove what was installed (not the data in var/)
	rm -rf $(VENV) $(dir $(SDK)) $(dir $(PEER))

$(PY):
	@sh config/make-venv $(VENV)

$(VENV)/run.stamp: requirements.lock | $(PY)
	@echo "Installing the dependencies into $(VENV) ..."
	@$(PIP) --only-binary :all: -r requirements.lock
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp | $(PY)
	@echo "Installing the development dependencies into $(VENV) ..."
	@$(PIP) --only-binary lxml,xmlsec -r requirements-dev.lock
	@touch $@

# What tests run under Node.js: the official JavaScript SDK, and an identity provider. Not there: those tests are
# skipped, and the next `make test` looks again.
$(SDK): tests/sdk/package-lock.json
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
		echo "Installing what the tests run under Node.js ..."; \
		cd $(dir $<) && npm ci --ignore-scripts --no-audit --no-fund --silent && touch $(notdir $(@D))/$(@F); \
	else \
		echo "Node.js is missing: the tests of the JavaScript SDK and with an identity provider will be skipped."; \
	fi

# What Latchkey is compared with has an environment of its own, so that it changes nothing in Latchkey's.
$(VENV)/bench.stamp: bench/requirements.lock | $(PY)
	@echo "Installing what the bench compares with into $(VENV)/bench ..."
	@sh config/make-venv $(VENV)/bench
	@$(VENV)/bench/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: -r $<
	@touch $@

$(PEER): bench/peers/oidc_provider/package-lock.json
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
		echo "Installing what the bench compares with under Node.js ..."; \
		cd $(dir $<) && npm ci --ignore-scripts --no-audit --no-fund --silent && touch $(notdir $(@D))/$(@F); \
	else \
		echo "Node.js is missing: oidc-provider will be left out."; \
	fi
