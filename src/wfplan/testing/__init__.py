"""For tests: a scripted executor, and the contract of executors."""

from wfplan.testing.contract import check_executor
from wfplan.testing.fake import FakeExecutor

__all__ = ["FakeExecutor", "check_executor"]
