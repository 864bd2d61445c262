# Two commands: `make run` and `make test`. `make help` lists the others.
#
# Everything lands in this directory: .venv holds Python's packages, as locked; .cache what the
# tools remember. Debian packages are installed for tests only, and only when some are missing.

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help run test quick check minimum pythons bench bench-peers lock clean debian debian-bench debian-peers

PYTHON ?= python3
VENV := .venv
MINIMUM := .venv-minimum
PEERS := .cache/peers
BIN := $(VENV)/bin

# dpkg looks for its own tools in the sbin directories, which a plain user's PATH leaves out.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
export DEBIAN_FRONTEND := noninteractive
export PIP_ROOT_USER_ACTION := ignore

# The system's pip installs into .venv from outside. So .venv is made without a pip of its own,
# which Debian's python3 can do without the package python3-venv.
PIP := $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check --no-input
# The first installation shows how far it is; a later one would only list what is there already.
INSTALL = $(PIP) install $(if $(wildcard $(VENV)/.run $(VENV)/.test),--quiet,--progress-bar on)
LOCKED = $(INSTALL) --require-hashes
SELF := $(PIP) install --quiet --no-deps --no-build-isolation --editable .

# A package whose command has another name is written package:command.
TEST_PACKAGES := caddy chromium curl faketime nginx nodejs:node php-cli:php ruby strace
BENCH_PACKAGES := wrk
PEER_PACKAGES := goaccess nginx
FAST := not slow and not browser and not faults
# What a tests' folder imports takes time as well: those that would run nothing aren't looked into.
QUICK := -m '$(FAST) and not engine and not processes' -p no:schemathesis \
    $(patsubst %,--ignore=tests/%,browser dashboards/test_openapi.py faults journeys packaging)
CHECKS := "ruff check" "ruff format --check" "lint-imports --cache-dir .cache/imports" "mypy"

# Each of these commands, the later ones also when an earlier one failed.
all = failed=; for each in $(1); do echo "--- $$each"; eval "$(BIN)/$$each" || failed=1; done; test -z "$$failed"

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

run: $(VENV)/.run  ## Set everything up and start the demo: a shop, its sellers, a month of visits
	@exec $(BIN)/collector demo

test: debian $(VENV)/.test  ## Set everything up and run every test
	@$(BIN)/pytest

quick: $(VENV)/.test  ## An answer within a minute: style, types, imports, and the tests that compute
	@mkdir -p .cache
	@{ $(call all,$(CHECKS)); } >.cache/checks.txt 2>&1 & checks=$$!; \
	$(BIN)/pytest -q $(QUICK); tested=$$?; \
	wait $$checks; checked=$$?; cat .cache/checks.txt; exit $$((tested | checked))

check: $(VENV)/.test  ## Style, strict types, import contracts, house rules
	@$(call all,$(CHECKS) "pytest -q tests/test_house_rules.py tests/test_imports.py")

# Resolved anew each time: what is oldest doesn't change, and what that needs may.
minimum: debian  ## The fast tests on the oldest versions that pyproject.toml allows
	@$(PYTHON) -m pip install --quiet --upgrade --target .tools uv
	@mkdir -p .cache
	@$(RESOLVE) --resolution lowest-direct -o .cache/oldest.txt pyproject.toml
	@$(RESOLVE) -c .cache/oldest.txt --extra dev --group build -o .cache/minimum.txt pyproject.toml
	@$(PYTHON) -m venv --clear --without-pip $(MINIMUM)
	@$(PYTHON) -m pip --python $(MINIMUM)/bin/python --disable-pip-version-check install --quiet -r .cache/minimum.txt
	@$(MINIMUM)/bin/python -m pytest -q -m '$(FAST)'

pythons: debian $(VENV)/.test  ## The fast tests, most of them, on each other Python from 3.11 found here
	@$(PYTHON) -m pip install --quiet --upgrade --target .tools uv
	@FAST='$(FAST)' .ci/pythons .tools/bin/uv

bench: debian-bench $(VENV)/.test  ## Measure beacons, locations, a day's close and the pages: six minutes
	@$(BIN)/python -m bench

bench-peers: debian-peers $(VENV)/.test $(PEERS)/.ready  ## The same visits to runlight, to nginx with GoAccess, and to us: three minutes
	@$(BIN)/python -m bench.peers $(PEERS)/bin/python

clean:  ## Remove what make set up and the tools' caches; data directories stay
	rm -rf $(VENV) $(MINIMUM) .venv-3.* .tools .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Python's packages ---

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Collector needs Python 3.11 or newer as $(PYTHON); name another one with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	    echo "Collector needs pip for $(PYTHON). On Debian: sudo apt-get install -y python3-pip" >&2; exit 1; }
	@$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.run: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV): once, a minute or more; a gigabyte, most of it the database engine."
	@$(LOCKED) -r requirements.lock -r requirements-build.lock
	@$(SELF)
	@touch $@

# The tests' lock holds the runtime's packages too, so whoever tests needs one installation only.
$(VENV)/.test: requirements-dev.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) with the tests' tools: once, a minute or more; 1.4 gigabytes."
	@$(LOCKED) -r requirements-dev.lock -r requirements-build.lock
	@$(SELF)
	@touch $@ $(VENV)/.run

# Other makers' products never come into .venv.
$(PEERS)/.ready: bench/peers/requirements.txt
	@mkdir -p .cache
	@$(PYTHON) -m venv --clear --without-pip $(PEERS)
	@$(PYTHON) -m pip --python $(PEERS)/bin/python --disable-pip-version-check install --quiet -r $<
	@touch $@

# Needs the network and takes the newest versions that pyproject.toml allows. The locks hold for
# every Python from 3.11 and name no index: pip asks whichever one the machine is set up with.
lock:  ## Make the lock files again, with the newest versions that pyproject.toml allows
	@$(PYTHON) -m pip install --quiet --upgrade --target .tools uv
	@$(COMPILE) -o requirements.lock pyproject.toml
	@$(COMPILE) -o requirements-dev.lock --extra dev -c requirements.lock pyproject.toml
	@$(COMPILE) -o requirements-build.lock -c requirements-dev.lock --group build

RESOLVE := .tools/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
    --no-emit-index-url --no-emit-find-links --no-config --system-certs
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(RESOLVE) --upgrade --generate-hashes

# --- Debian's packages ---

debian: PACKAGES := $(TEST_PACKAGES)
debian-bench: PACKAGES := $(BENCH_PACKAGES)
debian-peers: PACKAGES := $(PEER_PACKAGES)
debian debian-bench debian-peers:
	@missing=; for each in $(PACKAGES); do \
	    command -v $${each#*:} >/dev/null || missing="$$missing $${each%:*}"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" -ne 0 ]; then \
	    echo "Some Debian packages are missing. Install them, then run make again:" >&2; \
	    echo "  sudo apt-get install -y$$missing" >&2; exit 1; fi; \
	apt-get update -q && apt-get install -q -y --no-install-recommends $$missing
