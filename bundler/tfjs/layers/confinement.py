"""What Keras' process may do once it has started: compute, read files, answer.

A description holds no code (see `configuration`). If a fault there or in Keras made code of a model run all the same,
that code would find no way out: it could not write or remove a file, start a program or reach the network.

Three means, each for what the others leave open:

- an audit hook, on every system: Python asks it before code is made out of data, and before most acts that change
  something. Code that already runs could get around the hook, by way of TensorFlow's ops that write files for one;
- Landlock, a part of Linux since 5.13: the kernel refuses to write, make or remove any file, whoever asks;
- a seccomp filter, on Linux: the kernel refuses sockets, programs and processes, which Landlock covers in part.

All of them hold until the process ends. Limits of the process bound what it writes through its open files and how
much memory it takes.

Sources: https://docs.python.org/3/library/audit_events.html, https://docs.kernel.org/userspace-api/landlock.html,
https://docs.kernel.org/userspace-api/seccomp_filter.html.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["confine", "limit_memory"]


def confine() -> list[str]:
    """Close all ways out of this process, and return which of them this system cannot close."""
    _limit_files()
    still_open = list(_ask_the_kernel())
    sys.addaudithook(_refuse)
    return still_open


def _ask_the_kernel() -> Iterator[str]:
    if not sys.platform.startswith("linux"):
        yield "files, programs and network: this system has no means that are known here"
        return
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if not _landlock(system):
        yield "files: the kernel has no Landlock"
    if not _seccomp(system):
        yield "programs and network: the kernel has no seccomp filters for this processor"


# Limits ------------------------------------------------------------------------------------------

_STANDARD_ERROR = 2**20
"""Bytes: standard error is a file."""
_MEMORY = 4 * 2**30
"""Bytes for TensorFlow, its threads' stacks and the graph."""


def _limit_files() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_STANDARD_ERROR, _STANDARD_ERROR))


def limit_memory(elements: int) -> None:
    """Let the process have the memory for variables of so many elements, of which Keras makes several copies."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = _MEMORY + 32 * elements
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))


# Python ------------------------------------------------------------------------------------------

_REFUSED = (
    # Code out of data.
    *("code.__new__", "compile", "ctypes.dlopen", "pickle.find_class", "marshal.loads"),
    # Programs.
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"),
    *("os.kill", "os.killpg", "pty.spawn", "subprocess.Popen"),
    # Network.
    *("socket.", "urllib.Request", "ftplib.", "http.client.", "smtplib."),
    # Files.
    *("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"),
    *("os.truncate", "os.utime", "os.setxattr", "shutil.", "sqlite3.connect", "tempfile."),
)
_OF_IMPORTS = ("compile", "marshal.loads")
"""What an import of a module does: Keras and TensorFlow have modules that are imported when they are used."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook: PermissionError for what this process has no need of."""
    refused = event.startswith(_REFUSED) and not (event in _OF_IMPORTS and _is_import())
    if refused or (event == "open" and _is_writing(*arguments)):
        raise PermissionError(f"{event} is not allowed in Keras' process")


def _is_writing(file: object, _mode: object, flags: int) -> bool:
    """Whether a file is opened for anything but reading; a number is that of one that is open."""
    return not isinstance(file, int) and bool(flags & _WRITES)


def _is_import() -> bool:
    """Whether Python's import system asks."""
    return sys._getframe(2).f_code.co_filename.startswith("<frozen importlib.")


# Landlock ----------------------------------------------------------------------------------------

_NO_NEW_PRIVILEGES = 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
"""Numbers of system calls, the same on all processors."""
_ALL_BUT_READING = 0b1_1111_1111_0011
"""Rights on files by version 1: all of bits 0 (execute) to 12, less 2 (read a file) and 3 (list a folder)."""


def _landlock(system: ctypes.CDLL) -> bool:
    """Have the kernel refuse all changes of files, and as much of the rest as its version of Landlock can."""
    version = system.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    files = _ALL_BUT_READING | (version >= 2) << 13 | (version >= 3) << 14  # link and rename across folders; truncate
    network = 0b11 if version >= 4 else 0  # bind and connect over TCP
    scoped = 0b11 if version >= 6 else 0  # abstract sockets and signals of other processes
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rights = struct.pack("=QQQ", files, network, scoped)[:size]
    rules = system.syscall(_LANDLOCK_CREATE, rights, ctypes.c_size_t(size), 0)
    if rules < 0:
        return False
    restricted: bool = system.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return restricted


# seccomp -----------------------------------------------------------------------------------------

_PROCESSORS = {
    # the kernel's number of the processor; then system calls: seccomp, clone, and those that are refused
    "x86_64": (0xC000003E, 317, 56, (41, 57, 58, 59, 62, 101, 311, 322, 425)),
    "aarch64": (0xC00000B7, 277, 220, (198, 221, 129, 117, 271, 281, 425)),
}
"""Refused: socket, fork, vfork, execve, kill, ptrace, process_vm_writev, execveat, io_uring_setup; arm has no forks."""
_CLONE3 = 435
_OTHER_NUMBERS = 0x40000000
"""From here on, x86_64 has a second set of numbers."""
_THREAD = 0x10000
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_LOAD, _EQUALS, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _PROCESSOR, _FIRST_ARGUMENT = 0, 4, 16

_Step = tuple[int, int, int, int]
"""Of a filter: what to do, steps to skip if so and if not, and a number."""


def _seccomp(system: ctypes.CDLL) -> bool:
    """Have the kernel refuse sockets, programs and processes, in all threads."""
    if platform.machine() not in _PROCESSORS:
        return False
    processor, seccomp, clone, refused = _PROCESSORS[platform.machine()]
    steps = list(_filter(processor, clone, refused))
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(held))
    set_filter, all_threads = 1, 1
    return bool(system.syscall(seccomp, set_filter, all_threads, program) == 0)


def _filter(processor: int, clone: int, refused: Sequence[int]) -> Iterator[_Step]:
    no, missing = (_RETURN, 0, 0, _FAIL | errno.EPERM), (_RETURN, 0, 0, _FAIL | errno.ENOSYS)
    yield _LOAD, 0, 0, _PROCESSOR
    yield _EQUALS, 1, 0, processor
    yield no
    yield _LOAD, 0, 0, _NUMBER
    yield _AT_LEAST, 0, 1, _OTHER_NUMBERS
    yield no
    for number in refused:
        yield _EQUALS, 0, 1, number
        yield no
    yield _EQUALS, 0, 1, _CLONE3  # its flags are out of a filter's reach; the C library then takes `clone`
    yield missing
    yield _EQUALS, 0, 3, clone
    yield _LOAD, 0, 0, _FIRST_ARGUMENT
    yield _HAS_BITS, 1, 0, _THREAD
    yield no
    yield _RETURN, 0, 0, _ALLOW
