"""Whole logs and stores: what they show, or why they are refused (docs/format.md, 4 and 5)."""

import layout
from canonical import Refused

SEQUENCE_MAX = (1 << 64) - 1


def wal_log(data, generation, cut, collections):
    """The complete commits of a log, as (sequence, [(collection, entity, content)])."""
    first = record_at(data, 0, generation)
    if first is None or first["kind"] != "checkpoint":
        raise Refused("corrupt")
    if first["body"]["cut"] != cut or first["synced_to"] != cut:
        raise Refused("corrupt")
    if len(data) < first["body"]["reserved"]:
        raise Refused("corrupt")
    at, last, synced_to, commits = first["length"], cut, cut, []
    open_txn, writes = False, []
    while last < SEQUENCE_MAX:
        record = record_at(data, at, generation)
        if record is None:
            break
        if record["kind"] is None or not synced_to <= record["synced_to"] <= last:
            raise Refused("corrupt")
        synced_to = record["synced_to"]
        step = place(record, open_txn, writes, last + 1, collections)
        if step == "commit":
            last += 1
            commits.append((last, writes))
            open_txn, writes = False, []
        else:
            open_txn = True
        at += record["length"]
    if witness(data, at + 1, generation, last):
        raise Refused("corrupt")
    return last, commits


def place(record, open_txn, writes, sequence, collections):
    """Puts a valid record in its place in the grammar, or refuses it."""
    kind, body = record["kind"], record["body"]
    if body.get("txid") != sequence or "before" in body:
        raise Refused("corrupt")
    if kind == "begin" and not open_txn:
        return kind
    if kind in ("put", "delete") and open_txn:
        key = (body["collection"], body["entity"])
        if key[0] not in collections or (writes and writes[-1][:2] >= key):
            raise Refused("corrupt")
        writes.append((*key, body.get("content")))
        return kind
    if kind == "commit" and writes and body["sequence"] == sequence:
        return kind
    raise Refused("corrupt")


def record_at(data, at, generation):
    """The valid record of this generation and offset, or None: a break."""
    try:
        record = layout.wal_record(data[at:])
    except Refused:
        return None
    ours = record["generation"] == generation and record["offset"] == at
    return record if ours else None


def witness(data, start, generation, last):
    """Whether a record after the break was written when a commit above `last` was synced."""
    at = data.find(b"EWAL", start)
    while at >= 0:
        record = record_at(data, at, generation)
        if record is not None and record["synced_to"] > last:
            return True
        at = data.find(b"EWAL", at + 1)
    return False


def store(files, read_only):
    """The state that a store's directory shows: last commit, collections with their entities."""
    names = {name: layout.file_name(name) for name in files}
    present = {kind: sorted(it[1] for it in names.values() if it and it[0] == kind)
               for kind in ("wal", "segment")}
    if "MANIFEST" not in files:
        if present["wal"]:
            raise Refused("corrupt")
        if files.get("wal.log"):
            raise Refused("foreign")
        if present["segment"]:
            raise Refused("corrupt")
        if read_only:
            raise Refused("no-store")
        return 0, []
    manifest = layout.manifest(files["MANIFEST"])
    newer = "newer" in manifest
    if manifest["indexes"] and not newer:
        raise Refused("newer-version")
    if files.get("wal.log"):
        raise Refused("foreign")
    wals = manifest["wals"]
    if not wals and any(id >= manifest["next_segment_id"] for id in present["segment"]):
        raise Refused("corrupt")
    if wals and newer:
        raise Refused("newer-version")
    if wals and read_only:
        raise Refused("needs-recovery")
    return recovered(files, manifest)


def recovered(files, manifest):
    last = manifest["last_checkpoint"] or 0
    newest = {}
    for info in manifest["segments"]:
        data = files.get(f"SEGMENTS/seg-{info['id']:06}.dat")
        if data is None:
            raise Refused("corrupt")
        for it in layout.segment(data, info, last, "newer" in manifest):
            key = (it["collection"], it["entity"])
            if key not in newest or newest[key][0] < it["sequence"]:
                newest[key] = (it["sequence"], None if it["tombstone"] else it["payload"])
    listed = {it["id"] for it in manifest["collections"]}
    for generation in manifest["wals"]:
        data = files.get(f"wal-{generation:06}.log")
        if data is None:
            raise Refused("corrupt")
        last, commits = wal_log(data, generation, last, listed)
        for sequence, writes in commits:
            for collection, entity, content in writes:
                newest[collection, entity] = (sequence, content)
    return last, [(it, entities(newest, it["id"])) for it in manifest["collections"]]


def entities(newest, collection):
    """The live entities of a collection, ascending."""
    found = ((key[1], it[1]) for key, it in newest.items() if key[0] == collection)
    return sorted((entity, content) for entity, content in found if content is not None)
