# Every path is relative, because make splits paths at spaces.
# Every tool runs as `python -m`, because the first line of a script cannot contain a path with a space.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
STACK := $(PY) -m ddc.stack
RUN := $(PY) -m ddc.translations compile && $(STACK) run
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo reset pictures messages test fix check checks check-deep bench chaos faults browser setup-proxies

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 20

setup: $(VENV)/installed-dev browser ## Install everything for development
	@echo "Ready: make demo, make test, make check."

demo: $(VENV)/installed-local ## Run the whole site with sample data until Ctrl-C
	@exec $(STACK) demo

reset: $(VENV)/installed-local ## Delete the demo's data and secrets
	@exec $(STACK) reset

pictures: $(VENV)/installed-dev browser ## Take the pictures of docs/pictures/ from the demo
	@$(PY) -m tests.pictures $(ARGS)

test: $(VENV)/installed-dev browser ## Run the tests; ARGS="-k word" goes to pytest
	@$(RUN) -- $(PY) -m pytest -n $(WORKERS) -m "not deep" $(ARGS)

check-deep: $(VENV)/installed-dev browser setup-proxies ## Run the slow tests
	@$(RUN) -- $(PY) -m pytest -m deep $(ARGS)

chaos: $(VENV)/installed-dev ## Send 20,000 messages while processes are killed; none may be lost or sent twice
	@$(RUN) -- $(PY) -m tests.chaos $(ARGS)

faults: $(VENV)/installed-dev ## Break parts of a running site one after another and print the effects
	@$(PY) -m tests.faults $(ARGS)

bench: $(VENV)/installed-local ## Measure the site's speed; ARGS="--scale 0.1" for a short run
	@$(RUN) --durable -- $(PY) -m bench $(ARGS)

messages: $(VENV)/installed-local ## Update locale/ after a change of the portal's texts, and list what is left to translate
	@$(PY) -m ddc.translations update

fix: $(VENV)/installed-dev ## Format the code and fix what ruff can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

check: $(VENV)/installed-dev ## Check style, types, imports, migrations and production settings
	@$(RUN) -- $(MAKE) --no-print-directory checks

# Several of these load the settings, so they need the stack.
checks:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .
	$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py check --database default --fail-level WARNING
	$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	DEBUG=0 DEMO=0 ALLOWED_HOSTS=ddc.example PUBLIC_URL=https://ddc.example EMAIL_URL=smtp://127.0.0.1 \
	SMS_BACKEND=twilio TWILIO_ACCOUNT_SID=none TWILIO_AUTH_TOKEN=$$($(PY) -c 'import secrets; print(secrets.token_hex())') TWILIO_FROM_NUMBER=none \
	$(PY) manage.py check --deploy --fail-level WARNING

# An existing environment is used unchanged; a broken one (incomplete, or without its Python) is replaced.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "'$(PYTHON)' is older than Python 3.11. Choose another one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "The virtual environment could not be created. On Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/installed-local: requirements-local.txt | $(PY)
	@$(call install,requirements-local.txt)
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(PY)
	@$(call install,requirements-dev.txt)
	@touch $@ $(VENV)/installed-local

# uv is six times as fast but ignores pip's configuration, so pip installs if uv fails.
define install
$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV); \
echo "Installing $(1) ..."; \
{ uv --version >/dev/null 2>&1 && uv pip install --quiet --python $(PY) --require-hashes -r $(1); } || \
$(PY) -m pip install --quiet --require-hashes -r $(1)
endef

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the browser tests (apt-get install chromium) ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else \
	    echo "The browser tests need Chromium. On Debian: sudo apt-get install chromium"; exit 1; \
	  fi; }

setup-proxies: ## Install nginx and Caddy for the tests of the documented proxies
	@command -v nginx >/dev/null && command -v caddy >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing nginx and Caddy for the proxy tests (apt-get install nginx-light caddy) ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light caddy >/dev/null; \
	  else \
	    echo "The proxy tests need nginx and Caddy. On Debian: sudo apt-get install nginx-light caddy"; exit 1; \
	  fi; }
