"""Reads every vector and says where this reader disagrees: `python3 check.py [DIRECTORY]`.

Standard library only. Exit code 0: no disagreement; 1: vectors that cannot be used; 10: some
vector disagrees.
"""

import hashlib
import pathlib
import sys

import canonical
import layout
import store
import vectors
from canonical import Refused

NOT_COVERED = {"script"}


def plain(value):
    """The notation of fields: integers as decimal strings, bytes as hexadecimal."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value]


def encodes(written, data):
    if written != data:
        raise Refused("encodes otherwise")


def cbor(vector, setting):
    given = vector.get("given", {})
    floats = setting == "floats"
    value = canonical.decode(vector["bytes"], floats, **given)
    encodes(canonical.encode(value), vector["bytes"])
    due = canonical.from_notation(vector.get("value"))
    encodes(canonical.encode(due), vector["bytes"])
    return vector.get("value") if value == due else value


def golden_entidb(vector, _):
    """Records of version 1 are written as EntiDB writes them, and told from those of version 2."""
    (kind, fields), data = next(iter(vector["value"].items())), vector["bytes"]
    if kind == "segment-record":
        record, *_ = layout.segment_record(data)
        return {kind: plain(record)}
    if kind == "manifest":
        refused = expect_refusal(lambda: layout.manifest(data))
        return vector["value"] if refused == "foreign" else refused
    record = layout.wal_record(data)
    name, body = record["kind"], record["body"]
    if "content" in body:
        body["after"] = body.pop("content")
    return {kind: {name: plain(body)}} if record["generation"] is None else "version 2"


def expect_refusal(read):
    try:
        read()
    except Refused as refused:
        return str(refused)
    return "accepted"


def hashes(vector, _):
    data = vector["bytes"]
    return {"crc32": f"{layout.crc32(data):08x}", "sha256": hashlib.sha256(data).hexdigest()}


def name(vector, _):
    data = vector["bytes"]
    if vector["rule"] == "key-order":
        if len(data) % 20:
            raise Refused("invalid")
        keys = [data[at : at + 20] for at in range(0, len(data), 20)]
        order = sorted(range(len(keys)), key=lambda it: (
            int.from_bytes(keys[it][:4], "little"), keys[it][4:]))
        return {"order": plain(order)}
    is_file = vector["rule"] == "file-name"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("foreign" if is_file else "invalid") from None
    if not is_file:
        if not 1 <= len(data) <= 255:
            raise Refused("invalid")
        return {"collection": text}
    found = layout.file_name(text)
    if found is None:
        raise Refused("foreign")
    return {found[0]: plain(found[1])}


def wal_record(vector, _):
    record = layout.wal_record(vector["bytes"])
    if record["kind"] is None:
        raise Refused("invalid")
    if record["generation"] is None:
        raise Refused("version-1")
    encodes(layout.write_wal_record(record), vector["bytes"][: record["length"]])
    value = {name: record[name] for name in ("generation", "offset", "synced_to", "length")}
    return plain({**value, "record": {record["kind"]: record["body"]}})


def segment_record(vector, _):
    record, _, _, length = layout.segment_record(vector["bytes"])
    encodes(layout.write_segment_record(record), vector["bytes"][:length])
    return plain({**record, "length": length})


def manifest(vector, _):
    fields = layout.manifest(vector["bytes"])
    encodes(layout.write_manifest(fields), vector["bytes"])
    return plain(fields)


def wal_log(vector, _):
    given = vector["given"]
    ids = [int(id) for id in given["collections"]]
    last, commits = store.wal_log(
        vector["bytes"], int(given["generation"]), int(given["cut"]), set(ids))
    newest = {}
    for sequence, writes in commits:
        for collection, entity, content in writes:
            newest[collection, entity] = (sequence, content)
    shown = [{"id": id, "entities": store.entities(newest, id)} for id in ids]
    return plain({"sequence": last, "collections": shown})


def segment(vector, _):
    given = vector["given"]
    info = {"len": int(given["len"]), "records": int(given["records"]),
            "digest": bytes.fromhex(given["digest"])}
    records = layout.segment(vector["bytes"], info, int(given["last_checkpoint"]))
    return {"records": plain(records)}


def whole_store(vector, setting):
    last, collections = store.store(vector["files"], setting == "read-only")
    shown = [{**collection, "entities": entities} for collection, entities in collections]
    return plain({"sequence": last, "collections": shown})


FAMILIES = {
    "cbor": cbor,
    "golden-entidb": golden_entidb,
    "hash": hashes,
    "name": name,
    "wal-record": wal_record,
    "segment-record": segment_record,
    "manifest": manifest,
    "wal-log": wal_log,
    "segment": segment,
    "store": whole_store,
    "release-store": whole_store,
}


def disagreement(family, vector):
    """What is wrong with this reader's answers, or None."""
    for setting, due in vector["expect"].items():
        try:
            found, accepted = FAMILIES[family](vector, setting), True
        except Refused as refused:
            found, accepted = str(refused), False
        right = vector.get("value") if due == "accept" else due["reject"]
        if accepted != (due == "accept") or found != right:
            return f"{family} {vector['id']} ({setting}): due {due}, found {found}"
    return None


def main(directory):
    read = wrong = 0
    try:
        for family, found in vectors.load(directory, [*FAMILIES, *NOT_COVERED]):
            if family in NOT_COVERED:
                print(f"{family}: {len(found)} vectors are not for readers")
                continue
            told = [line for line in (disagreement(family, it) for it in found) if line]
            for line in told:
                print(line[:2000], file=sys.stderr)
            print(f"{family}: {len(found) - len(told)} of {len(found)} vectors agree")
            read, wrong = read + len(found), wrong + len(told)
    except vectors.Unusable as unusable:
        print(unusable, file=sys.stderr)
        return 1
    print(f"python: {read - wrong} of {read} vectors agree")
    return 10 if wrong or not read else 0


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else here.parent.parent / "vectors"))
