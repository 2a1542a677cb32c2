# Everything that can be done here; each target prepares what it needs in .venv. docs/contributing.md says when to use which.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One process for each core that the machine shows; the tests of one file stay together, and so do their fixtures.
PARALLEL := --numprocesses logical --maxprocesses 8 --dist loadfile

.PHONY: demo test test-all fuzz check bench clean

demo: $(VENV)/core
	$(BIN)/wfplan plan examples/payment-api.json

# All promises, in minutes, on any machine.
test: $(VENV)/test
	$(BIN)/python -m pytest -q $(PARALLEL) $(PYTEST)

# Everything on top: full profiles, scale, growth, kills, crash points, other engines, browser, notebooks, every branch
# covered; then the wheel.
test-all: $(VENV)/test-all
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -m "not scale" --hypothesis-profile=full $(PARALLEL) $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/python -m pytest -q -m scale $(PARALLEL) --dist load $(PYTEST)
	$(BIN)/python tests/wheels.py $(PYTEST)

# Many more damaged answers than a test run has time for; what is found goes into tests/intake/findings.
fuzz: $(VENV)/test
	$(BIN)/python -m pytest --hypothesis-profile=thorough tests/property/test_reading_fuzz.py

check: $(VENV)/check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell src docs examples benchmarks README.md CHANGELOG.md Makefile pyproject.toml
	$(BIN)/python tests/vocabulary.py
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python tests/typing/verify_types.py

bench: $(VENV)/bench
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/execution.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/schedules.py

clean:
	rm -rf $(VENV) dist

$(VENV)/core: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/%: requirements/%.txt $(VENV)/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
