# SPDX-License-Identifier: Apache-2.0
"""An open image, and the catalogues."""
from __future__ import annotations

import ctypes
import json
import os
import threading
from types import TracebackType
from typing import Any, Callable, Mapping, NamedTuple, Optional, Union

from ._library import CError, COptions, CProgress, LogFunction, decode, library, raise_error, take_text
from ._report import Report
from ._table import Table

Which = Union[int, str, None]
ALL = 1
HIGHEST_PID = 1 << 32


class Progress(NamedTuple):
    """How far a call is: what is done, "" if nothing, and how much of it; total is 0 where it is not known."""

    what: str
    done: int
    total: int


def _which(which: Which) -> Optional[bytes]:
    """A process as the program is told: a number that is no PID is the address of an object."""
    if which is None:
        return None
    if isinstance(which, str):
        return which.encode()
    return (f"{int(which)}" if 0 <= which < HIGHEST_PID else f"0x{int(which):x}").encode()


def _log_function(log: Optional[Callable[[str], object]]) -> Any:
    def call(_: object, line: bytes) -> None:
        if log:
            log(decode(line))

    return LogFunction(call) if log else ctypes.cast(0, LogFunction)


class Image:
    """The memory of a machine, with its kernel found. Threads may share it: they are let in one at a time."""

    def __init__(self, path: Union[str, os.PathLike[str]], *, symbols: Union[str, os.PathLike[str], None] = None,
                 threads: int = 0, log: Optional[Callable[[str], object]] = None) -> None:
        self._handle: Optional[int] = None
        self._lock = threading.Lock()  # of the work
        self._short = threading.Lock()  # of what is done meanwhile
        self.path = os.fspath(path)
        # Kept as long as the handle, which calls it.
        self._log = _log_function(log)
        self._symbols = None if symbols is None else os.fsencode(symbols)
        options = COptions(symbols=self._symbols, log=self._log)
        error = CError()
        self._handle = library.invar_open(os.fsencode(path), ctypes.byref(options), ctypes.byref(error))
        if not self._handle:
            raise_error(error)
        library.invar_set_threads(self._handle, threads)

    def close(self) -> None:
        """Lets the file go. Closing again does nothing."""
        with self._lock, self._short:
            handle, self._handle = self._handle, None
            library.invar_close(handle)

    def __enter__(self) -> Image:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], problem: Optional[BaseException],
                 traceback: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self.close()

    def __repr__(self) -> str:
        return f"<invar.Image {self.path!r}{'' if self._handle else ', closed'}>"

    def _take(self, function: Callable[..., Any], *arguments: object) -> Any:
        with self._lock:
            if not self._handle:
                raise ValueError("the image is closed")
            return json.loads(take_text(function, self._handle, *arguments))

    def _list(self, listing: str, which: Which = None, everything: bool = False) -> Any:
        return self._take(library.invar_list, listing.encode(), _which(which), ALL if everything else 0)

    def info(self) -> Mapping[str, Any]:
        """What was opened, and what is known of its kernel."""
        found: Mapping[str, Any] = self._take(library.invar_info)
        return found

    def check(self, progress: Optional[Callable[[Progress], object]] = None) -> Report:
        """Collects, judges, reports: the main job. Ctrl-C ends it. progress: is told ten times a second how far it is."""
        outcome: list[tuple[Any, Optional[BaseException]]] = []

        def work() -> None:
            try:
                outcome.append((self._take(library.invar_check), None))
            except BaseException as problem:  # pylint: disable=broad-except
                outcome.append((None, problem))

        worker = threading.Thread(target=work)
        worker.start()
        try:
            while worker.is_alive():
                worker.join(0.1)
                if progress and worker.is_alive():
                    progress(self.progress())
        except BaseException:
            while worker.is_alive():  # asked again, for it may not have begun
                self.interrupt()
                worker.join(0.1)
            raise
        found, problem = outcome[0]
        if problem:
            raise problem
        return Report.of(found)

    def progress(self) -> Progress:
        """How far the call is that another thread makes."""
        found = CProgress()
        with self._short:
            if self._handle:
                library.invar_progress(self._handle, ctypes.byref(found))
        return Progress(decode(found.what or b""), found.done, found.total)

    def interrupt(self) -> None:
        """Has the check that another thread runs end soon, with what it found until then."""
        with self._short:
            if self._handle:
                library.invar_interrupt(self._handle)

    def processes(self, everything: bool = False) -> Table:
        """The processes, without judging them. `everything`: those too that only a pass over all memory finds."""
        return Table(self._list("ps", None, everything))

    def tree(self, everything: bool = False) -> Table:
        """Processes beneath their parents, in depth first order with a column of depths."""
        return Table(self._list("tree", None, everything))

    def process(self, which: Union[int, str]) -> Mapping[str, Any]:
        """Everything known of one process, its dossier (process.schema.json). Judges everything."""
        dossier: Mapping[str, Any] = self._list("process", which)
        return dossier

    def threads(self, which: Which = None, everything: bool = False) -> Table:
        """Threads of all processes or of one, by its PID or address."""
        return Table(self._list("threads", which, everything))

    def handles(self, which: Which = None) -> Table:
        """Handles of all processes or of one."""
        return Table(self._list("handles", which))

    def power(self, which: Which = None) -> Table:
        """Who can take over whom by the handles that are open."""
        return Table(self._list("power", which))

    def tokens(self, which: Which = None) -> Any:
        """Access tokens: a table of all, or all that stands in that of one process (tokens.schema.json)."""
        found = self._list("tokens", which)
        return Table(found) if isinstance(found, list) else found

    def modules(self, which: Which = None, everything: bool = False) -> Table:
        """Modules of the kernel, or of one process."""
        return Table(self._list("modules", which, everything))

    def vads(self, which: Which = None, everything: bool = False) -> Table:
        """Ranges of memory of all processes or of one."""
        return Table(self._list("vads", which, everything))

    def sessions(self) -> Mapping[str, Table]:
        """Sessions, processes, desktops and jobs."""
        return {name: Table(rows) for name, rows in self._list("sessions").items()}

    def callbacks(self) -> Mapping[str, Table]:
        """What is registered to watch processes, and what speaks for its having been removed."""
        return {name: Table(rows) for name, rows in self._list("callbacks").items()}

    def structure(self, name: str, address: int = 0) -> Table:
        """A structure as a debugger shows it; with an address, what stands there."""
        return Table(self._take(library.invar_structure, name.encode(), address))


def open(path: Union[str, os.PathLike[str]], *,  # pylint: disable=redefined-builtin
         symbols: Union[str, os.PathLike[str], None] = None, threads: int = 0,
         log: Optional[Callable[[str], object]] = None) -> Image:
    """Opens an image and finds the kernel in it.

    symbols: an ISF table or a folder of them. threads: how many may work at once, 0: as many as there are CPUs. log: is given
    each diagnostic, one line each.
    """
    return Image(path, symbols=symbols, threads=threads, log=log)


def version() -> str:
    """The version of libinvar."""
    return decode(library.invar_version())


def explain(name: str) -> Mapping[str, Any]:
    """One invariant in full: what must hold, why, how it is known, and its exceptions."""
    found: Mapping[str, Any] = json.loads(take_text(library.invar_explain, name.encode()))
    return found


def invariants() -> Table:
    """The catalogue of invariants."""
    return Table(json.loads(take_text(library.invar_explain, None)))


def witnesses() -> Table:
    """The catalogue of witnesses and their tiers."""
    return Table(json.loads(take_text(library.invar_witnesses)))
