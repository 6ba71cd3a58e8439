#!/usr/bin/env python3
"""SQLite as a subject: the standard library's sqlite3 behind the line protocol.

    sqlite_driver.py [--journal-mode delete|truncate|persist|wal|memory|off]
                     [--synchronous off|normal|full|extra]

The promises are those of https://sqlite.org/pragma.html#pragma_synchronous and
https://sqlite.org/pragma.html#pragma_journal_mode, mode by mode; drivers/README.md quotes them.
"""

import argparse
import os
import sqlite3

from proofhouse_driver import DONE, Failed, committed, entities, serve, value, values

LEVELS = ["off", "normal", "full", "extra"]
JOURNALS = ["delete", "truncate", "persist", "wal", "memory", "off"]
PAGE_SIZE = 4096
SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS collection (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity (
    collection TEXT, id BLOB, payload BLOB, PRIMARY KEY (collection, id)
) WITHOUT ROWID;
COMMIT;
"""


def promises(journal, synchronous):
    """What the manual promises of this mode."""
    kept_by_kill = "nothing" if journal in ("memory", "off") else "all_acknowledged"
    if journal in ("memory", "off") or synchronous == "off":
        power_loss = "nothing"
    elif journal == "wal":
        power_loss = "prefix" if synchronous == "normal" else "all_acknowledged"
    elif synchronous == "normal":
        # "a very small (though non-zero) chance that a power failure [...] could corrupt".
        power_loss = "nothing"
    elif journal == "delete" and synchronous == "full":
        # Only EXTRA syncs the directory after the journal, whose absence commits, was unlinked.
        power_loss = "prefix"
    else:
        power_loss = "all_acknowledged"
    keeps = {"kill": kept_by_kill, "power_loss": power_loss}
    return {
        "commit": keeps,
        "sync": keeps,
        "close": keeps,
        # A commit that was in doubt may be shown from the page cache and then lose its power.
        "open": {"kill": kept_by_kill, "power_loss": "nothing"},
        "atomic": journal not in ("memory", "off"),
        "ordered": True,
    }


class SqliteDriver:
    """One store at a time, in the file `store.db` of its directory."""

    errors = sqlite3.Error

    def __init__(self, journal, synchronous):
        self.journal, self.synchronous = journal, synchronous
        self.main, self.slots = None, {}

    def failed(self, error):
        """By SQLite's primary result code; its words go with it."""
        classes = {
            sqlite3.SQLITE_BUSY: "locked",
            sqlite3.SQLITE_LOCKED: "locked",
            sqlite3.SQLITE_CORRUPT: "corrupt",
            sqlite3.SQLITE_NOTADB: "corrupt",
            sqlite3.SQLITE_READONLY: "read_only",
            sqlite3.SQLITE_TOOBIG: "invalid",
        }
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return Failed(classes.get(code, "io"), f"{type(error).__name__}: {error}")

    # The conversation.

    def hello(self, _request):
        capabilities = {
            # Without a journal there is no rollback: ROLLBACK "behaves in an undefined way".
            "transactions": self.journal != "off",
            # A reader keeps its view while others write only in WAL mode.
            "snapshots": self.journal == "wal",
            "checkpoint": self.journal == "wal",
            "ranges": True,
        }
        return {
            "outcome": "hello",
            "protocol": 0,
            "name": f"sqlite {sqlite3.sqlite_version} {self.journal} {self.synchronous}",
            "capabilities": [name for name, offered in capabilities.items() if offered],
            "promises": promises(self.journal, self.synchronous),
        }

    def open(self, request):
        if self.main:
            raise Failed("misuse", "a store is open already")
        settings = request["settings"]
        self.file = os.path.join(request["dir"], "store.db")
        self.max_payload = settings["max_payload"]
        main = self.connect()
        try:
            check_pragma(main, "journal_mode", self.journal, self.journal)
            # Small logs are wanted, so that short plans reach a checkpoint.
            main.execute(f"PRAGMA wal_autocheckpoint={max(1, settings['wal_reserve'] // PAGE_SIZE)}")
            main.executescript(SCHEMA)
        except BaseException:
            main.close()
            raise
        self.main = main
        return DONE

    def client(self, _request):
        main = self.store()
        for slot in list(self.slots):
            self.slots.pop(slot).close()
        if main.in_transaction:
            main.execute("ROLLBACK")
        return DONE

    def close(self, request):
        self.client(request)
        main, self.main = self.main, None
        main.close()
        return DONE

    # Writes.

    def create_collection(self, request):
        main = self.outside_transaction()
        try:
            main.execute("INSERT INTO collection VALUES (?)", [request["collection"]])
        except sqlite3.IntegrityError:
            raise Failed("conflict", "the collection exists") from None
        return DONE

    def begin(self, _request):
        self.outside_transaction().execute("BEGIN IMMEDIATE")
        return DONE

    def commit(self, _request):
        self.in_transaction().execute("COMMIT")
        return committed()

    def abort(self, _request):
        self.in_transaction().execute("ROLLBACK")
        return DONE

    def put(self, request):
        main, collection = self.store(), self.known(request)
        payload = bytes.fromhex(request["payload"])
        if len(payload) > self.max_payload:
            raise Failed("invalid", "longer than the settings allow")
        row = [collection, bytes.fromhex(request["id"]), payload]
        main.execute("REPLACE INTO entity VALUES (?, ?, ?)", row)
        return DONE if main.in_transaction else committed()

    def delete(self, request):
        main, key = self.store(), [self.known(request), bytes.fromhex(request["id"])]
        deleted = main.execute("DELETE FROM entity WHERE collection = ? AND id = ?", key).rowcount
        if main.in_transaction:
            return {"outcome": "existed", "existed": deleted > 0}
        return committed()

    def checkpoint(self, _request):
        self.outside_transaction().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return DONE

    # Reads.

    def get(self, request):
        return value(find(self.store(), self.known(request), request["id"]))

    def get_many(self, request):
        main, collection = self.store(), self.known(request)
        return values([find(main, collection, one) for one in request["ids"]])

    def scan(self, request):
        return entities(find_all(self.store(), self.known(request)))

    def scan_range(self, request):
        store, collection = self.store(), self.known(request)
        order = "DESC" if request["descending"] else "ASC"
        bounds = [(">=", request.get("from")), ("<", request.get("to"))]
        bounds = [(compares, bytes.fromhex(end)) for compares, end in bounds if end is not None]
        within = "".join(f" AND id {compares} ?" for compares, _ in bounds)
        query = f"SELECT id, payload FROM entity WHERE collection = ?{within} ORDER BY id {order}"
        return entities(store.execute(query, [collection, *(end for _, end in bounds)]).fetchall())

    def snapshot(self, request):
        self.store()
        self.snapshot_release(request)
        reader = self.connect()
        # A deferred transaction sees the database as it is at its first read.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM collection").fetchone()
        self.slots[request["slot"]] = reader
        return DONE

    def snapshot_get(self, request):
        reader = self.slot(request)
        return value(find(reader, self.known(request), request["id"]))

    def snapshot_scan(self, request):
        reader = self.slot(request)
        return entities(find_all(reader, self.known(request)))

    def snapshot_release(self, request):
        reader = self.slots.pop(request["slot"], None)
        if reader:
            reader.close()
        return DONE

    # What they have in common.

    def connect(self):
        connection = sqlite3.connect(self.file, isolation_level=None, timeout=0)
        check_pragma(connection, "synchronous", self.synchronous, LEVELS.index(self.synchronous))
        check_pragma(connection, "mmap_size", 0, 0)
        return connection

    def store(self):
        if self.main is None:
            raise Failed("misuse", "no store is open")
        return self.main

    def in_transaction(self):
        main = self.store()
        if not main.in_transaction:
            raise Failed("misuse", "no transaction is open")
        return main

    def outside_transaction(self):
        main = self.store()
        if main.in_transaction:
            raise Failed("misuse", "a transaction is open")
        return main

    def slot(self, request):
        if request["slot"] not in self.slots:
            raise Failed("misuse", "the slot is empty")
        return self.slots[request["slot"]]

    def known(self, request):
        name = request["collection"]
        query = "SELECT 1 FROM collection WHERE name = ?"
        if self.store().execute(query, [name]).fetchone() is None:
            raise Failed("not_found", "no such collection")
        return name


def find(connection, collection, entity_id):
    query = "SELECT payload FROM entity WHERE collection = ? AND id = ?"
    row = connection.execute(query, [collection, bytes.fromhex(entity_id)]).fetchone()
    return row and row[0]


def find_all(connection, collection):
    query = "SELECT id, payload FROM entity WHERE collection = ? ORDER BY id"
    return connection.execute(query, [collection]).fetchall()


def check_pragma(connection, name, setting, due):
    """Sets a pragma and looks whether it took: SQLite keeps silent about what it cannot do."""
    connection.execute(f"PRAGMA {name}={setting}").fetchall()
    row = connection.execute(f"PRAGMA {name}").fetchone()
    if row and row[0] != due:
        raise Failed("unsupported", f"PRAGMA {name} is {row[0]} where {due} was set")


def main():
    parser = argparse.ArgumentParser(description="SQLite behind the line protocol")
    parser.add_argument("--journal-mode", choices=JOURNALS, default="delete")
    parser.add_argument("--synchronous", choices=LEVELS, default="full")
    arguments = parser.parse_args()
    serve(SqliteDriver(arguments.journal_mode, arguments.synchronous))


if __name__ == "__main__":
    main()
