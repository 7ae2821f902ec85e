// SPDX-License-Identifier: Apache-2.0
#include "report/database_schema.h"

const char *const inv_database_tables[] = {"image",   "witnesses", "processes", "testimony",  "threads",
                                           "handles", "sightings", "findings",  "techniques", "evidence",
                                           "excuses", "excused",   "unknown"};
const size_t inv_database_table_count = sizeof inv_database_tables / sizeof inv_database_tables[0];

// Addresses are text, as everywhere in this program's output: SQLite's integers are signed, and kernel addresses would be negative.
// ANY: an integer, or hexadecimal text for one beyond SQLite's.
const char *const inv_database_schema[] = {
    "CREATE TABLE image (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, path TEXT NOT NULL, format TEXT NOT "
    "NULL,"
    " bytes ANY NOT NULL, present_pages ANY NOT NULL, atomic INTEGER, arch TEXT NOT NULL, build INTEGER, version TEXT,"
    " base TEXT, dtb TEXT, pdb_name TEXT, pdb_guid TEXT, pdb_age INTEGER, facts_source TEXT, facts_confidence TEXT NOT "
    "NULL,"
    " system_time TEXT, boot_time TEXT, cpus INTEGER, live INTEGER NOT NULL, smear TEXT, smear_signs INTEGER NOT NULL,"
    " smear_excused INTEGER NOT NULL, swept_bytes ANY, handles_left_out INTEGER NOT NULL, judged INTEGER NOT NULL,"
    " holds INTEGER NOT NULL, broken INTEGER NOT NULL, observed INTEGER NOT NULL, excused INTEGER NOT NULL,"
    " unknown INTEGER NOT NULL, cut_short TEXT, invar TEXT NOT NULL, seconds REAL NOT NULL) STRICT",

    "CREATE TABLE witnesses (image INTEGER NOT NULL REFERENCES image (id), witness TEXT NOT NULL, tier TEXT NOT NULL,"
    " rank INTEGER NOT NULL, read INTEGER NOT NULL, broken INTEGER NOT NULL, unreadable INTEGER NOT NULL,"
    " sightings INTEGER NOT NULL, void TEXT, PRIMARY KEY (image, witness)) STRICT, WITHOUT ROWID",

    "CREATE TABLE processes (image INTEGER NOT NULL REFERENCES image (id), address TEXT NOT NULL, physical TEXT, pid "
    "ANY,"
    " ppid ANY, name TEXT, path TEXT, created TEXT, exited TEXT, state TEXT NOT NULL, session ANY, threads ANY, "
    "handles ANY,"
    " role TEXT, protection INTEGER, signer INTEGER, PRIMARY KEY (image, address)) STRICT, WITHOUT ROWID",
    "CREATE INDEX processes_by_pid ON processes (image, pid)", "CREATE INDEX processes_by_name ON processes (name)",

    "CREATE TABLE testimony (image INTEGER NOT NULL, process TEXT NOT NULL, witness TEXT NOT NULL,"
    " says TEXT NOT NULL CHECK (says IN ('seen', 'missing')), PRIMARY KEY (image, process, witness),"
    " FOREIGN KEY (image, process) REFERENCES processes (image, address),"
    " FOREIGN KEY (image, witness) REFERENCES witnesses (image, witness)) STRICT, WITHOUT ROWID",

    "CREATE TABLE threads (image INTEGER NOT NULL REFERENCES image (id), address TEXT NOT NULL, process TEXT, owner "
    "TEXT,"
    " names TEXT, pid ANY, tid ANY, state INTEGER, created TEXT, exited TEXT, start TEXT, win32_start TEXT, teb TEXT,"
    " PRIMARY KEY (image, address), FOREIGN KEY (image, process) REFERENCES processes (image, address),"
    " FOREIGN KEY (image, owner) REFERENCES processes (image, address)) STRICT, WITHOUT ROWID",
    "CREATE INDEX threads_by_process ON threads (image, process)",

    "CREATE TABLE handles (image INTEGER NOT NULL REFERENCES image (id), handle_table TEXT NOT NULL, handle INTEGER "
    "NOT NULL,"
    " holder TEXT, object TEXT NOT NULL, type TEXT, access INTEGER NOT NULL, rights TEXT NOT NULL, process TEXT, "
    "thread TEXT,"
    " PRIMARY KEY (image, handle_table, handle), FOREIGN KEY (image, holder) REFERENCES processes (image, address),"
    " FOREIGN KEY (image, process) REFERENCES processes (image, address),"
    " FOREIGN KEY (image, thread) REFERENCES threads (image, address)) STRICT, WITHOUT ROWID",
    "CREATE INDEX handles_by_holder ON handles (image, holder)",
    "CREATE INDEX handles_by_process ON handles (image, process) WHERE process IS NOT NULL",

    "CREATE TABLE sightings (image INTEGER NOT NULL, number INTEGER NOT NULL, witness TEXT NOT NULL, process TEXT, "
    "thread TEXT,"
    " record TEXT NOT NULL, PRIMARY KEY (image, number),"
    " FOREIGN KEY (image, witness) REFERENCES witnesses (image, witness)) STRICT, WITHOUT ROWID",
    "CREATE INDEX sightings_by_process ON sightings (image, process)",

    "CREATE TABLE findings (image INTEGER NOT NULL REFERENCES image (id), number INTEGER NOT NULL,"
    " kind TEXT NOT NULL CHECK (kind IN ('finding', 'observation')), invariant TEXT NOT NULL, statement TEXT NOT NULL,"
    " tier TEXT NOT NULL, certainty TEXT NOT NULL, certainty_why TEXT NOT NULL, subject TEXT NOT NULL, address TEXT "
    "NOT NULL,"
    " process TEXT, name TEXT, PRIMARY KEY (image, number),"
    " FOREIGN KEY (image, process) REFERENCES processes (image, address)) STRICT, WITHOUT ROWID",
    "CREATE INDEX findings_by_invariant ON findings (invariant)",
    "CREATE INDEX findings_by_process ON findings (image, process)",

    "CREATE TABLE techniques (image INTEGER NOT NULL, finding INTEGER NOT NULL, technique TEXT NOT NULL,"
    " PRIMARY KEY (image, finding, technique),"
    " FOREIGN KEY (image, finding) REFERENCES findings (image, number)) STRICT, WITHOUT ROWID",
    "CREATE INDEX techniques_by_technique ON techniques (technique)",

    "CREATE TABLE evidence (image INTEGER NOT NULL, finding INTEGER NOT NULL, number INTEGER NOT NULL, witness TEXT "
    "NOT NULL,"
    " tier TEXT NOT NULL, field TEXT, address TEXT, value TEXT, says TEXT NOT NULL, PRIMARY KEY (image, finding, "
    "number),"
    " FOREIGN KEY (image, finding) REFERENCES findings (image, number)) STRICT, WITHOUT ROWID",

    "CREATE TABLE excuses (image INTEGER NOT NULL, finding INTEGER NOT NULL, number INTEGER NOT NULL, exception TEXT "
    "NOT NULL,"
    " why_not TEXT NOT NULL, PRIMARY KEY (image, finding, number),"
    " FOREIGN KEY (image, finding) REFERENCES findings (image, number)) STRICT, WITHOUT ROWID",

    "CREATE TABLE excused (image INTEGER NOT NULL REFERENCES image (id), number INTEGER NOT NULL, invariant TEXT NOT "
    "NULL,"
    " exception TEXT NOT NULL, why TEXT, subject TEXT NOT NULL, address TEXT NOT NULL, process TEXT, name TEXT,"
    " PRIMARY KEY (image, number),"
    " FOREIGN KEY (image, process) REFERENCES processes (image, address)) STRICT, WITHOUT ROWID",

    "CREATE TABLE unknown (image INTEGER NOT NULL REFERENCES image (id), invariant TEXT NOT NULL, reason TEXT NOT NULL,"
    " count INTEGER NOT NULL, PRIMARY KEY (image, invariant, reason)) STRICT, WITHOUT ROWID",

    // -- the common questions --
    "CREATE VIEW hidden_processes AS SELECT p.image, i.path AS image_path, p.address, p.pid, p.name, p.path,"
    " (SELECT group_concat(witness, ' ') FROM (SELECT witness FROM testimony t WHERE t.image = p.image AND"
    " t.process = p.address AND says = 'missing' ORDER BY witness)) AS missing_from,"
    " (SELECT count(*) FROM testimony t WHERE t.image = p.image AND t.process = p.address AND says = 'seen') AS seen_by"
    " FROM processes p JOIN image i ON i.id = p.image WHERE p.state = 'hidden' ORDER BY p.image, p.address",

    "CREATE VIEW findings_by_technique AS SELECT t.technique, f.image, f.kind, f.invariant, f.certainty, f.subject, "
    "f.address,"
    " p.pid, p.name, f.statement FROM techniques t JOIN findings f ON f.image = t.image AND f.number = t.finding"
    " LEFT JOIN processes p ON p.image = f.image AND p.address = f.process"
    " ORDER BY t.technique, f.image, f.number",

    "CREATE VIEW who_sees_whom AS SELECT p.image, p.address, p.pid, p.name, p.state, w.witness, w.tier, t.says"
    " FROM testimony t JOIN processes p ON p.image = t.image AND p.address = t.process"
    " JOIN witnesses w ON w.image = t.image AND w.witness = t.witness ORDER BY p.image, p.address, w.rank, w.witness",

    "CREATE VIEW handles_into_protected AS SELECT h.image, o.address AS holder, o.pid AS holder_pid, o.name AS "
    "holder_name,"
    " h.handle, h.type, h.rights, g.address AS target, g.pid AS target_pid, g.name AS target_name, g.protection, "
    "g.signer"
    " FROM handles h LEFT JOIN threads t ON t.image = h.image AND t.address = h.thread"
    " JOIN processes g ON g.image = h.image AND g.address = coalesce(h.process, t.owner, t.process)"
    " JOIN processes o ON o.image = h.image AND o.address = h.holder"
    " WHERE g.protection > 0 AND o.address <> g.address AND (o.protection = 0 OR o.signer < g.signer)"
    " ORDER BY h.image, g.address, o.address, h.handle",

    // \Device\HarddiskVolume3\Windows\... without the volume, whose number differs from machine to machine.
    "CREATE VIEW programs AS SELECT image, address, pid, name, state, lower(CASE"
    " WHEN path LIKE '\\Device\\HarddiskVolume%\\%' THEN substr(path, 8 + instr(substr(path, 9), '\\'))"
    " WHEN path <> '' THEN path ELSE name END) AS program FROM processes",
    "CREATE VIEW same_program AS SELECT program, count(DISTINCT image) AS images, count(*) AS processes,"
    " count(*) FILTER (WHERE state = 'hidden') AS hidden,"
    " (SELECT group_concat(path, ', ') FROM (SELECT path FROM image WHERE id IN (SELECT q.image FROM programs q"
    " WHERE q.program = p.program) ORDER BY id)) AS image_paths"
    " FROM programs p WHERE program IS NOT NULL GROUP BY program HAVING count(DISTINCT image) > 1"
    " ORDER BY images DESC, program",

    "CREATE VIEW not_read AS SELECT image, 'witness' AS kind, witness AS what, void AS why, unreadable + broken AS "
    "count"
    " FROM witnesses WHERE void IS NOT NULL OR unreadable > 0 OR broken > 0"
    " UNION ALL SELECT image, 'invariant', invariant, reason, count FROM unknown"
    " UNION ALL SELECT id, 'check', 'cut short', cut_short, 1 FROM image WHERE cut_short IS NOT NULL"
    " ORDER BY 1, 2, 5 DESC, 3, 4"};
const size_t inv_database_schema_count = sizeof inv_database_schema / sizeof inv_database_schema[0];
