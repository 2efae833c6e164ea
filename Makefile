# Two commands on a machine that has only Python 3.11 or newer: `make demo` and `make test`.
# Everything is installed into .venv from the committed locks, whose every file is known by its hash.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The larger set serves both: a demo after a test installs nothing.
INSTALLED := $(if $(wildcard $(VENV)/.installed-dev),dev,run)

# Processes start often here, in tests above all: each would compile some two hundred thousand lines anew, for two seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test types behaviour lock clean

demo: $(VENV)/.installed-$(INSTALLED)
	$(BIN)/yekta demo

test: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory --jobs 2 types behaviour

# One core for most of a minute on a machine that keeps no cache: beside the tests it takes what they leave idle.
types: $(VENV)/.installed-dev
	nice $(BIN)/mypy

behaviour: $(VENV)/.installed-dev
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

$(VENV)/.installed-run: requirements.txt pyproject.toml assets/package-lock.json $(VENV)/.uv
	$(call install,requirements.txt)

$(VENV)/.installed-dev: requirements-dev.txt pyproject.toml assets/package-lock.json $(VENV)/.uv
	$(call install,requirements-dev.txt)

define install
	@rm -f $(VENV)/.installed-*
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(1)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . \
		--build-constraints requirements-build.txt --build-constraints requirements-assets.txt
	@touch $@
endef

# pip serves only to get uv, which installs the rest in seconds (and leaves itself alone when it syncs)
$(VENV)/.uv: requirements-build.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Yekta needs Python 3.11 or newer, and '$(PYTHON)' is not: try  make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "This Python cannot make virtual environments: install its venv module (Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements-build.txt
	@touch $@

# After a change of the dependencies in pyproject.toml, requirements-build.in or requirements-assets.in.
lock: $(VENV)/.uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-build.in -o requirements-build.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements-assets.in -o requirements-assets.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --extra dev -o requirements-dev.txt

clean:
	rm -rf $(VENV)
