"""Records, segments, logs and MANIFEST, as docs/format.md lists their fields."""

import hashlib
import re
import struct
import zlib

from canonical import Refused

SEGMENT_OVERHEAD = 37
WAL_HEADER = 11
WAL_PAYLOAD_MAX = (64 << 20) + 128
MANIFEST_MAX = 64 << 20


def crc32(data):
    return zlib.crc32(data)


class Fields:
    """Reads fields one after another; running out of bytes is an IndexError."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise IndexError
        self.at += count
        return self.data[self.at - count : self.at]

    def u(self, length):
        return int.from_bytes(self.take(length), "little")

    def flag(self):
        value = self.u(1)
        if value > 1:
            raise IndexError
        return value == 1

    def text(self):
        return self.take(self.u(2)).decode("utf-8")

    def done(self):
        return self.at == len(self.data)


# Names (section 1).


def number(digits, limit):
    """A number of six digits or more, without needless zeros."""
    if not re.fullmatch(r"[0-9]{6,}", digits) or (len(digits) > 6 and digits[0] == "0"):
        return None
    value = int(digits)
    return value if value < limit else None


FIXED = ("MANIFEST", "MANIFEST.tmp", "wal.log", "LOCK")
NUMBERED = (
    ("wal", r"wal-(.*)\.log", 1 << 32),
    ("segment", r"SEGMENTS/seg-(.*)\.dat", 1 << 64),
    ("sidecar", r"INDEX/seg-(.*)\.idx", 1 << 64),
)


def file_name(name):
    """What a name is: its kind and number, or None for a foreign name."""
    if name in FIXED:
        return ("file", name)
    for kind, form, limit in NUMBERED:
        match = re.fullmatch(form, name, re.DOTALL)
        value = match and number(match[1], limit)
        if value is not None:
            return (kind, value)
    return None


# Segment records (section 3).


def segment_record(data, newer=False):
    """The record at the beginning of the bytes and its length.

    Under a newer minor version it may be of an unknown type.
    """
    if len(data) < 4:
        raise Refused("short")
    length = int.from_bytes(data[:4], "little")
    if length < SEGMENT_OVERHEAD:
        raise Refused("length")
    if len(data) < length:
        raise Refused("short")
    record = data[:length]
    if crc32(record[:-4]) != int.from_bytes(record[-4:], "little"):
        raise Refused("crc")
    collection, entity, flags, sequence = struct.unpack_from("<I16sBQ", record, 4)
    payload = record[33:-4]
    unknown = flags > 1
    if (unknown and not newer) or (flags == 1 and payload):
        raise Refused("flags")
    fields = {
        "collection": collection,
        "entity": entity,
        "sequence": sequence,
        "payload": payload,
        "tombstone": flags == 1,
    }
    return (None if unknown else fields), (collection, entity), sequence, length


def write_segment_record(fields):
    covered = struct.pack(
        "<II16sBQ",
        SEGMENT_OVERHEAD + len(fields["payload"]),
        fields["collection"],
        fields["entity"],
        fields["tombstone"],
        fields["sequence"],
    )
    covered += fields["payload"]
    return covered + struct.pack("<I", crc32(covered))


def segment(data, info, last_checkpoint, newer=False):
    """The known records of a whole segment, checked in every respect."""
    if not 1 <= info["records"] <= info["len"] // SEGMENT_OVERHEAD or info["len"] >= 1 << 32:
        raise Refused("corrupt")
    if len(data) != info["len"]:
        raise Refused("corrupt")
    records, count, crcs, at, last = [], 0, hashlib.sha256(), 0, None
    while at < len(data):
        try:
            record, key, sequence, length = segment_record(data[at : at + info["len"]], newer)
        except Refused:
            raise Refused("corrupt") from None
        if last is not None and key <= last:
            raise Refused("corrupt")
        if not 1 <= sequence <= last_checkpoint:
            raise Refused("corrupt")
        last = key
        count += 1
        if record is not None:
            records.append(record)
        at += length
        crcs.update(data[at - 4 : at])
    if count != info["records"] or crcs.digest() != info["digest"]:
        raise Refused("corrupt")
    return records


# Log records (section 4).

KINDS = {1: "begin", 2: "put", 3: "delete", 4: "commit", 5: "abort", 6: "checkpoint"}


def wal_record(data):
    """The record at the beginning of the bytes; `generation` is None in version 1.

    One of an unknown type that verifies is told by its stamp alone.
    """
    if len(data) < WAL_HEADER:
        raise Refused("short")
    magic, version, kind, length = struct.unpack_from("<4sHBI", data)
    if magic != b"EWAL" or version not in (1, 2) or length > WAL_PAYLOAD_MAX:
        raise Refused("invalid")
    whole = WAL_HEADER + length + 4
    if len(data) < whole:
        raise Refused("short")
    if crc32(data[: whole - 4]) != int.from_bytes(data[whole - 4 : whole], "little"):
        raise Refused("invalid")
    try:
        fields = Fields(data[WAL_HEADER : whole - 4])
        record = {"generation": None, "kind": KINDS.get(kind), "length": whole}
        if version == 2:
            record["generation"] = fields.u(4)
            record["offset"], record["synced_to"] = fields.u(8), fields.u(8)
            if record["kind"] is None:
                return record
        record["body"] = body(fields, kind, version)
    except IndexError:
        raise Refused("invalid") from None
    if record["kind"] is None or not fields.done():
        raise Refused("invalid")
    return record


def body(fields, kind, version):
    if kind == 6:
        said = {"cut": fields.u(8)}
        if version == 2:
            said["reserved"] = fields.u(8)
        return said
    said = {"txid": fields.u(8)}
    if kind == 4:
        said["sequence"] = fields.u(8)
    if kind in (2, 3):
        said["collection"], said["entity"] = fields.u(4), fields.take(16)
        if fields.flag():
            said["before"] = fields.take(32)
    if kind == 2:
        said["content"] = fields.take(fields.u(4))
    return said


def write_wal_record(record):
    said = record["body"]
    kind = next(number for number, name in KINDS.items() if name == record["kind"])
    payload = struct.pack("<IQQ", record["generation"], record["offset"], record["synced_to"])
    for name in ("txid", "cut", "reserved", "sequence"):
        if name in said:
            payload += struct.pack("<Q", said[name])
    if kind in (2, 3):
        payload += struct.pack("<I16sB", said["collection"], said["entity"], "before" in said)
        payload += said.get("before", b"")
    if kind == 2:
        payload += struct.pack("<I", len(said["content"])) + said["content"]
    covered = struct.pack("<4sHBI", b"EWAL", 2, kind, len(payload)) + payload
    return covered + struct.pack("<I", crc32(covered))


# MANIFEST (section 2).


def version(fields, known):
    found = fields.u(2)
    if found > known:
        raise Refused("newer-version")
    if found < known:
        raise Refused("corrupt")


def ascending(values):
    return all(a < b for a, b in zip(values, values[1:]))


def manifest_body(fields, manifest_version):
    if fields.take(4) != b"EMFN":
        raise Refused("corrupt")
    version(fields, manifest_version)
    version(fields, 1)
    minor = fields.u(2)
    body = {"format_minor": minor, "next_collection_id": fields.u(4), "collections": []}
    for _ in range(fields.u(4)):
        body["collections"].append({"name": fields.text(), "id": fields.u(4)})
    body["next_index_id"], body["indexes"] = 1, []
    if manifest_version == 2:
        body["next_index_id"] = fields.u(8)
        for _ in range(fields.u(4)):
            body["indexes"].append(index(fields, minor))
    body["last_checkpoint"] = fields.u(8) if fields.flag() else None
    names = [collection["name"].encode() for collection in body["collections"]]
    if not ascending(names) or not ascending([it["id"] for it in body["indexes"]]):
        raise Refused("corrupt")
    return body


def index(fields, minor):
    found = {"id": fields.u(8), "collection": fields.u(4)}
    found["path"] = [fields.text() for _ in range(fields.u(2))]
    found["kind"] = fields.u(1)
    if found["kind"] > 1 and minor == 0:
        raise IndexError
    found["unique"] = fields.flag()
    found["created_at"] = fields.u(8)
    return found


def trailer(fields):
    if fields.take(4) != b"EMFT":
        raise Refused("corrupt")
    version(fields, 1)
    found = {"next_segment_id": fields.u(8), "next_generation": fields.u(4), "segments": []}
    for _ in range(fields.u(4)):
        info = {"id": fields.u(8), "len": fields.u(8), "records": fields.u(8)}
        found["segments"].append({**info, "digest": fields.take(32)})
    found["wals"] = [fields.u(4) for _ in range(fields.u(4))]
    return found


def manifest(data):
    """All fields of a whole file."""
    if len(data) > MANIFEST_MAX:
        raise Refused("corrupt")
    if len(data) < 4 or crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise Refused("foreign" if is_body(data) else "corrupt")
    fields = Fields(data[:-4])
    try:
        found = manifest_body(fields, 2)
        found.update(trailer(fields))
        minor = found.pop("format_minor")
        if minor > 0:
            later = fields.take(len(fields.data) - fields.at)
            found["newer"] = {"format_minor": minor, "fields": later}
    except (IndexError, UnicodeDecodeError):
        raise Refused("corrupt") from None
    if not fields.done() or not within_rules(found):
        raise Refused("corrupt")
    return found


def is_body(data):
    """Whether the file is as EntiDB writes it: a body of either version and nothing more."""
    fields = Fields(data)
    try:
        found = manifest_body(fields, 1 if data[4:6] == b"\x01\x00" else 2)
    except (IndexError, UnicodeDecodeError, Refused):
        return False
    return fields.done() and found["format_minor"] == 0


def within_rules(found):
    ids = [collection["id"] for collection in found["collections"]]
    names = [collection["name"].encode() for collection in found["collections"]]
    segments = [segment["id"] for segment in found["segments"]]
    return (
        len(set(ids)) == len(ids)
        and all(id < found["next_collection_id"] for id in ids)
        and all(1 <= len(name) <= 255 for name in names)
        and all(it["id"] < found["next_index_id"] for it in found["indexes"])
        and ascending(segments)
        and all(id < found["next_segment_id"] for id in segments)
        and all(
            1 <= it["records"] <= it["len"] // SEGMENT_OVERHEAD and it["len"] < 1 << 32
            for it in found["segments"]
        )
        and ascending(found["wals"])
        and all(wal < found["next_generation"] for wal in found["wals"])
        and len(found["wals"]) <= 2
    )


def write_manifest(fields):
    def text(value):
        value = value.encode()
        return struct.pack("<H", len(value)) + value

    newer = fields.get("newer", {"format_minor": 0, "fields": b""})
    minor = newer["format_minor"]
    data = struct.pack("<4sHHHI", b"EMFN", 2, 1, minor, fields["next_collection_id"])
    data += struct.pack("<I", len(fields["collections"]))
    for it in fields["collections"]:
        data += text(it["name"]) + struct.pack("<I", it["id"])
    data += struct.pack("<QI", fields["next_index_id"], len(fields["indexes"]))
    for it in fields["indexes"]:
        data += struct.pack("<QIH", it["id"], it["collection"], len(it["path"]))
        data += b"".join(map(text, it["path"]))
        data += struct.pack("<BBQ", it["kind"], it["unique"], it["created_at"])
    checkpoint = fields["last_checkpoint"]
    data += b"\0" if checkpoint is None else struct.pack("<BQ", 1, checkpoint)
    data += struct.pack("<4sHQ", b"EMFT", 1, fields["next_segment_id"])
    data += struct.pack("<II", fields["next_generation"], len(fields["segments"]))
    for it in fields["segments"]:
        data += struct.pack("<QQQ32s", it["id"], it["len"], it["records"], it["digest"])
    data += struct.pack("<I", len(fields["wals"]))
    data += b"".join(struct.pack("<I", wal) for wal in fields["wals"]) + newer["fields"]
    return data + struct.pack("<I", crc32(data))
