"""A file that one process at a time appends to, and that is on disk when it says so."""

from __future__ import annotations

import os
import stat
import weakref
from contextlib import suppress
from os import PathLike
from pathlib import Path

__all__ = ["JournalFile", "LockedError"]

_FAR = 2**31 - 1  # where the byte is that is locked on Windows: nobody ever reads there
_sync = getattr(os, "fdatasync", os.fsync)
_open_files: weakref.WeakSet[JournalFile] = weakref.WeakSet()


class LockedError(OSError):
    """Another run has the file open."""


class JournalFile:
    """A regular file, locked from `__init__` to `close`, or to the end of the process, however it ends."""

    path: Path
    is_new: bool
    """Whether it was created here."""

    def __init__(self, path: str | PathLike[str]) -> None:
        """Open the file, which only its owner can read if it is created here.

        Raises LockedError if it is open for another run, of this process or another, OSError for anything else.
        """
        self.path = Path(path).absolute()  # a step may change the folder
        flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            self.is_new = True
        except FileExistsError:
            self._descriptor = os.open(self.path, flags)
            self.is_new = False
        try:
            _check_kind(self._descriptor)
            _lock(self._descriptor)
            if hasattr(os, "fchmod") and not os.fstat(self._descriptor).st_size:  # not on Windows, before Python 3.13
                os.fchmod(self._descriptor, 0o600)
        except BaseException:
            os.close(self._descriptor)
            raise
        _open_files.add(self)
        self._is_open = True

    def read(self) -> bytes:
        """Return the content of the file."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        parts: list[bytes] = []
        while True:
            part = os.read(self._descriptor, 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)

    def cut(self, length: int) -> None:
        """Leave only so many bytes."""
        os.ftruncate(self._descriptor, length)
        _sync(self._descriptor)

    def keep_name(self) -> None:
        """Have the name of the file on disk, too, as far as the system can do it."""
        with suppress(OSError):
            _sync_folder(self.path.parent)

    def append(self, data: bytes) -> None:
        """Write `data`, and return when it is on disk. Raises OSError, also if the file is no longer where it was."""
        there, here = self.path.stat(), os.fstat(self._descriptor)
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            raise FileNotFoundError("another file has taken its place")
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]
        _sync(self._descriptor)

    def close(self) -> None:
        """Let others have the file; calling it again does no harm."""
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)

    def discard(self) -> None:
        """Close the file, and remove it if it was created here and never written to."""
        if self._is_open and self.is_new and os.fstat(self._descriptor).st_size == 0:
            with suppress(OSError):  # somebody else has removed it, or it cannot be while it is open
                self.path.unlink()
        self.close()


def _check_kind(descriptor: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError("it is not a regular file")


def _lock(descriptor: int) -> None:
    """Lock a file for the open descriptor, whose end, by whatever cause, is the end of the lock."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            raise LockedError("another run has it open") from error
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LockedError("another run has it open") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget_in_child() -> None:
    """Close the file in a forked child: it would keep the lock of a parent that has died."""
    for file in tuple(_open_files):
        file.close()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_forget_in_child)
