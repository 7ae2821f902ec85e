# SPDX-License-Identifier: Apache-2.0
"""libinvar as ctypes sees it: include/invar/invar.h, and its errors as exceptions."""
from __future__ import annotations

import ctypes
import ctypes.util
import os
from typing import Any, Callable

SONAME = "libinvar.so.0"


class Error(Exception):
    """What libinvar could not do. The text names file, offset, expected and found where there are such."""


class OpenError(Error, OSError):
    """The operating system refused."""


class FormatError(Error, ValueError):
    """The image or a symbol table contradicts its own format."""


class UnsupportedError(Error):
    """Sound, but of a kind that is not read."""


class NoKernelError(Error):
    """No Windows kernel was found in the image."""


class InternalError(Error):
    """A fault of the library."""


class UsageError(Error, LookupError):
    """What was asked for does not exist: no such process, type, invariant."""


CODES: dict[int, type[Error]] = {1: OpenError, 2: FormatError, 3: UnsupportedError, 4: NoKernelError, 5: InternalError,
                                 6: UsageError}

LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class CError(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 1024)]


class COptions(ctypes.Structure):
    _fields_ = [("symbols", ctypes.c_char_p), ("log", LogFunction), ("log_context", ctypes.c_void_p)]


class CProgress(ctypes.Structure):
    _fields_ = [("what", ctypes.c_char_p), ("done", ctypes.c_uint64), ("total", ctypes.c_uint64)]


def _load() -> ctypes.CDLL:
    path = os.environ.get("INVAR_LIBRARY")
    try:
        return ctypes.CDLL(path or SONAME)
    except OSError as problem:
        raise ImportError(f"{path or SONAME} cannot be loaded: {problem}. Install libinvar, or name it by INVAR_LIBRARY."
                          ) from problem


def _declare(lib: ctypes.CDLL) -> None:
    error, text, handle = ctypes.POINTER(CError), ctypes.c_void_p, ctypes.c_void_p
    # Texts are c_void_p, not c_char_p, of which ctypes would make bytes and lose the pointer that is to be released.
    functions: dict[str, tuple[Any, list[Any]]] = {
        "invar_version": (ctypes.c_char_p, []),
        "invar_open": (handle, [ctypes.c_char_p, ctypes.POINTER(COptions), error]),
        "invar_close": (None, [handle]),
        "invar_info": (text, [handle, error]),
        "invar_check": (text, [handle, error]),
        "invar_progress": (None, [handle, ctypes.POINTER(CProgress)]),
        "invar_interrupt": (None, [handle]),
        "invar_set_threads": (None, [handle, ctypes.c_uint]),
        "invar_list": (text, [handle, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, error]),
        "invar_structure": (text, [handle, ctypes.c_char_p, ctypes.c_uint64, error]),
        "invar_explain": (text, [ctypes.c_char_p, error]),
        "invar_witnesses": (text, [error]),
        "invar_free": (None, [text]),
    }
    for name, (result, arguments) in functions.items():
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = arguments


library = _load()
_declare(library)


def decode(text: bytes) -> str:
    """Messages name files, whose names may be any bytes."""
    return text.decode("utf-8", "backslashreplace")


def raise_error(error: CError) -> None:
    raise CODES.get(error.code, InternalError)(decode(error.text))


def take_text(function: Callable[..., Any], *arguments: object) -> str:
    """Calls a function whose last parameter is an error; its text, which is released, or its error as an exception."""
    error = CError()
    pointer = function(*arguments, ctypes.byref(error))
    if not pointer:
        raise_error(error)
    try:
        return ctypes.string_at(pointer).decode("utf-8")
    finally:
        library.invar_free(pointer)
