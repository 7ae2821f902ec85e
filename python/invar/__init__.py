# SPDX-License-Identifier: Apache-2.0
"""Reads memory of Windows machines: does everything that the kernel says about its processes agree?

    import invar

    with invar.open("memory.raw") as image:
        for finding in image.check().findings:
            print(finding.id, finding.subject, finding.statement)
"""
from ._image import Image, Progress, explain, invariants, open, version, witnesses  # pylint: disable=redefined-builtin
from ._library import (Error, FormatError, InternalError, NoKernelError, OpenError, UnsupportedError, UsageError)
from ._report import (Address, Evidence, Excused, Finding, Kernel, Process, Report, Subject, Summary, Unknown, Witness,
                      moment)
from ._table import Table, printable

__version__ = version()
__all__ = [
    "Address", "Error", "Evidence", "Excused", "Finding", "FormatError", "Image", "InternalError", "Kernel",
    "NoKernelError", "OpenError", "Process", "Progress", "Report", "Subject", "Summary", "Table", "Unknown", "UnsupportedError",
    "UsageError", "Witness", "explain", "invariants", "moment", "open", "printable", "version", "witnesses",
]
