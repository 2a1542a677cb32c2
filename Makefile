# Everything that can be done here; each target prepares what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test fuzz check bench clean

demo: $(VENV)/core
	$(BIN)/wfplan plan examples/payment-api.json

test: $(VENV)/test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Many more damaged answers than a test run has time for; what is found goes into tests/intake/findings.
fuzz: $(VENV)/test
	$(BIN)/python -m pytest --hypothesis-profile=thorough tests/property/test_reading_fuzz.py

check: $(VENV)/check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python tests/typing/verify_types.py

bench: $(VENV)/bench
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/execution.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/schedules.py

clean:
	rm -rf $(VENV)

$(VENV)/core: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/%: requirements/%.txt $(VENV)/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@
