"""For tests of whoever uses the library: a scripted executor, and the contract that every executor has to keep."""

from wfplan.testing.contract import check_executor
from wfplan.testing.fake import FakeExecutor

__all__ = ["FakeExecutor", "check_executor"]
