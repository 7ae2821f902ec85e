# SPDX-License-Identifier: Apache-2.0
"""The report of a check (docs/schema.json) as Python values. Keys that are not known here stand in `raw`."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Mapping, Optional

from ._table import Table, printable

Json = Mapping[str, Any]


class Address(int):
    """An address, which shows itself in hexadecimal."""

    def __repr__(self) -> str:
        return hex(self)

    __str__ = __repr__


def address_of(value: Optional[str]) -> Optional[Address]:
    return None if value is None else Address(value, 16)


def number_of(value: object) -> Optional[int]:
    """Numbers that are too large for JSON are written in hexadecimal."""
    if value is None or isinstance(value, int):
        return value
    return Address(str(value), 16)


def moment(text: str) -> datetime:
    """A time of a report, to the microsecond. Reports have steps of 100 ns, and whatever years an image claims: ValueError."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{(rest + '000000')[:6]}").replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class Kernel:
    """The kernel found in the image."""

    arch: str
    build: Optional[int]
    version: Optional[str]
    base: Optional[Address]
    dtb: Optional[Address]
    system_time: Optional[str]
    cpus: Optional[int]
    confidence: str
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Kernel:
        return cls(raw["arch"], raw["build"], raw["version"], address_of(raw["base"]), address_of(raw["dtb"]),
                   raw["system_time"], raw["cpus"], raw["facts"]["confidence"], raw)


@dataclass(frozen=True)
class Witness:
    """A structure in which Windows records processes or threads, and how far it could be read. void: why not at all."""

    id: str
    tier: str
    read: int
    broken: int
    unreadable: int
    sightings: int
    void: Optional[str]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Witness:
        return cls(raw["id"], raw["tier"], raw["read"], raw["broken"], raw["unreadable"], raw["sightings"], raw["void"], raw)


@dataclass(frozen=True)
class Process:
    """A process object that any witness saw, listed or not. None: could not be read. moment() takes its times."""

    address: Address
    physical: Optional[Address]
    pid: Optional[int]
    ppid: Optional[int]
    name: Optional[str]
    path: Optional[str]
    created: Optional[str]
    exited: Optional[str]
    state: str
    session: Optional[int]
    threads: Optional[int]
    handles: Optional[int]
    role: Optional[str]
    seen_by: tuple[str, ...]
    missing_from: tuple[str, ...]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Process:
        return cls(Address(raw["address"], 16), address_of(raw["physical"]), number_of(raw["pid"]), number_of(raw["ppid"]),
                   raw["name"], raw["path"], raw["created"], raw["exited"], raw["state"],
                   number_of(raw["session"]), raw["threads"], raw["handles"], raw["role"], tuple(raw["seen_by"]),
                   tuple(raw["missing_from"]), raw)


@dataclass(frozen=True)
class Subject:
    """What a verdict is about: a process, a thread, a structure."""

    kind: str
    address: Optional[Address]
    pid: Optional[int]
    name: Optional[str]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Subject:
        return cls(raw["kind"], address_of(raw.get("address")), number_of(raw.get("pid")), raw.get("name"), raw)

    def __str__(self) -> str:
        words = [self.kind, self.pid, self.name and printable(self.name)]
        text = " ".join(str(word) for word in words if word is not None and word != "")
        return text if self.address is None else f"{text} at {self.address}"


@dataclass(frozen=True)
class Evidence:
    """What one record says."""

    witness: str
    tier: str
    field: Optional[str]
    address: Optional[Address]
    value: Any
    says: str

    @classmethod
    def of(cls, raw: Json) -> Evidence:
        return cls(raw["witness"], raw["tier"], raw["field"], address_of(raw["address"]), raw["value"], raw["says"])


@dataclass(frozen=True)
class Finding:
    """A broken invariant: two records that cannot both be true."""

    id: str
    statement: str
    tier: str
    certainty: str
    attack: Optional[str]
    subject: Subject
    evidence: tuple[Evidence, ...]
    excuses_tried: tuple[Json, ...]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Finding:
        return cls(raw["id"], raw["statement"], raw["tier"], raw["certainty"], raw["attack"], Subject.of(raw["subject"]),
                   tuple(map(Evidence.of, raw["evidence"])), tuple(raw["excuses_tried"]), raw)


@dataclass(frozen=True)
class Excused:
    """A disagreement that a stated exception explains."""

    id: str
    subject: Subject
    exception: str
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Excused:
        return cls(raw["id"], Subject.of(raw["subject"]), raw["exception"], raw)


@dataclass(frozen=True)
class Unknown:
    """An invariant that could not be judged so often, and for which reasons."""

    id: str
    count: int
    reasons: Mapping[str, int]

    @classmethod
    def of(cls, raw: Json) -> Unknown:
        return cls(raw["id"], raw["count"], raw["reasons"])


@dataclass(frozen=True)
class Summary:
    """How many verdicts there are of each kind."""

    processes: int
    judged: int
    holds: int
    broken: int
    excused: int
    unknown: int
    seconds: float
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Summary:
        return cls(raw["processes"], raw["judged"], raw["holds"], raw["broken"], raw["excused"], raw["unknown"],
                   raw["seconds"], raw)


@dataclass(frozen=True)
class Report:
    """All that a check found. A notebook shows its processes and its findings."""

    kernel: Kernel
    witnesses: tuple[Witness, ...]
    processes: tuple[Process, ...]
    findings: tuple[Finding, ...]
    observations: tuple[Finding, ...]
    excused: tuple[Excused, ...]
    unknown: tuple[Unknown, ...]
    summary: Summary
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Json) -> Report:
        return cls(Kernel.of(raw["kernel"]), tuple(map(Witness.of, raw["witnesses"])),
                   tuple(map(Process.of, raw["processes"])), tuple(map(Finding.of, raw["findings"])),
                   tuple(map(Finding.of, raw.get("observations", ()))), tuple(map(Excused.of, raw["excused"])),
                   tuple(map(Unknown.of, raw["unknown"])), Summary.of(raw["summary"]), raw)

    def __repr__(self) -> str:
        return f"<invar.Report: {len(self.processes)} processes, {len(self.findings)} findings>"

    def process_table(self) -> Table:
        """The processes, one row each, with the invariants that each breaks."""
        broken: dict[Optional[Address], list[str]] = {}
        for finding in self.findings:
            ids = broken.setdefault(finding.subject.address if finding.subject.kind == "process" else None, [])
            if finding.id not in ids:
                ids.append(finding.id)
        return Table([{"pid": process.pid, "ppid": process.ppid, "name": process.name, "state": process.state,
                       "created": process.created, "address": process.address,
                       "seen by": len(process.seen_by), "missing from": process.missing_from,
                       "broken": broken.get(process.address, [])} for process in self.processes])

    def finding_table(self) -> Table:
        """The findings, one row each."""
        return Table([{"id": finding.id, "subject": str(finding.subject), "certainty": finding.certainty,
                       "accused": finding.tier, "statement": finding.statement, "ATT&CK": finding.attack}
                      for finding in self.findings])

    def _repr_html_(self) -> str:
        # pylint: disable=protected-access
        return (f"<p>{len(self.processes)} processes, {self.summary.judged} verdicts: {self.summary.holds} hold, "
                f"{self.summary.broken} broken, {self.summary.excused} excused, {self.summary.unknown} unknown</p>"
                + self.process_table()._repr_html_() + (self.finding_table()._repr_html_() if self.findings else ""))
