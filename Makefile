# Every path here is relative: make takes a path with a space for two.
# Every tool runs as `python -m`: a script's first line cannot name an interpreter in such a path.
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
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo reset test fix check checks check-deep bench chaos faults browser

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/' | expand -t 20

setup: $(VENV)/installed-dev browser ## Install everything that development needs
	@echo "Ready: make demo, make test, make check."

demo: $(VENV)/installed-local ## Run the whole site with made-up data, until Ctrl-C
	@exec $(STACK) demo

reset: $(VENV)/installed-local ## Forget the demo's data and secrets
	@exec $(STACK) reset

test: $(VENV)/installed-dev browser ## Run the tests; ARGS="-k word" goes to pytest
	@$(STACK) run -- $(PY) -m pytest -n $(WORKERS) -m "not deep" $(ARGS)

check-deep: $(VENV)/installed-dev browser ## Run the tests that take long
	@$(STACK) run -- $(PY) -m pytest -m deep $(ARGS)

chaos: $(VENV)/installed-dev ## Send 20,000 messages while processes are killed, and see that none is lost or goes twice
	@$(STACK) run -- $(PY) -m tests.chaos $(ARGS)

faults: $(VENV)/installed-dev ## Break one part of a running site after another, and print what it comes to
	@$(PY) -m tests.faults $(ARGS)

bench: $(VENV)/installed-local ## Measure the site's speed; ARGS="--scale 0.1" for a quick look
	@$(STACK) run --durable -- $(PY) -m bench $(ARGS)

fix: $(VENV)/installed-dev ## Put the code in order
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

check: $(VENV)/installed-dev ## Check style, types, layers, migrations and the settings for production
	@$(STACK) run -- $(MAKE) --no-print-directory checks

# Several of these load the settings, hence the stack around them.
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
	SMS_BACKEND=twilio TWILIO_ACCOUNT_SID=none TWILIO_AUTH_TOKEN=none TWILIO_FROM_NUMBER=none \
	$(PY) manage.py check --deploy --fail-level WARNING

# An environment that somebody else made is used as it is; a broken one (half made, or its Python gone) is made anew.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed; '$(PYTHON)' is not. Name another one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "The venv could not be made. On Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/installed-local: requirements-local.txt | $(PY)
	@$(call install,requirements-local.txt)
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(PY)
	@$(call install,requirements-dev.txt)
	@touch $@ $(VENV)/installed-local

# uv is six times as fast, but does not read pip's own configuration: where it fails, pip has a try.
define install
$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV); \
echo "Installing $(1) ..."; \
{ uv --version >/dev/null 2>&1 && uv pip install --quiet --python $(PY) --require-hashes -r $(1); } || \
$(PY) -m pip install --quiet --require-hashes -r $(1)
endef

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium, which some tests drive (apt-get install chromium) ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else \
	    echo "Some tests drive a browser, and there is none. On Debian: sudo apt-get install chromium"; exit 1; \
	  fi; }
