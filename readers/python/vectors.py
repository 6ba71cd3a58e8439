"""Loads a vectors directory (vectors/README.md) and verifies it."""

import hashlib
import json
import pathlib

FORMAT, VERSION = "proofhouse-vectors", 1

# Whatever families there are: for programs that look at one of them only.
ANY = None


class Unusable(Exception):
    """Vectors that cannot be used; the message names the file."""


def parse(name, data):
    try:
        content = json.loads(data)
    except ValueError as error:
        raise Unusable(f"{name}: {error}; restore it") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise Unusable(f"{name}: not a file of {FORMAT}; restore it")
    version = content.get("version")
    # To Python, true is an integer, too.
    if type(version) is not int or version < 1:
        raise Unusable(f"{name}: version {json.dumps(version)} is no integer from 1 on; restore it")
    if version > VERSION:
        raise Unusable(f"{name}: format version {version}, but {VERSION} is the newest known")
    return content


def read(directory, name):
    try:
        return (pathlib.Path(directory) / name).read_bytes()
    except OSError as error:
        raise Unusable(f"{name}: {error.strerror}; restore it") from None


def require(families, known):
    """Every family that is listed is known, and every known one has vectors: else none would fail."""
    for entry in families:
        if entry["family"] not in known:
            raise Unusable(f"{entry['file']}: unknown family {entry['family']}")
    listed = {entry["family"] for entry in families if entry["vectors"]}
    for family in known:
        if family not in listed:
            raise Unusable(f"index.json: no vectors of family {family} are listed; restore it")


def load(directory, known):
    """Yields (family, its vectors); `known` are the names of families, or ANY."""
    index = parse("index.json", read(directory, "index.json"))
    if known is not ANY:
        require(index["families"], known)
    for entry in index["families"]:
        files = {}
        for name, digest in entry["sha256"].items():
            files[name] = read(directory, name)
            if hashlib.sha256(files[name]).hexdigest() != digest:
                raise Unusable(f"{name}: its SHA-256 is not the one in index.json; restore it")
        family = parse(entry["file"], files[entry["file"]])
        if family["family"] != entry["family"] or len(family["vectors"]) != entry["vectors"]:
            raise Unusable(f"{entry['file']}: not what index.json lists; restore it")
        yield entry["family"], [resolved(entry["file"], it, files) for it in family["vectors"]]


FIELDS = {"id", "rule", "meaning", "source", "value", "diagnostic", "given", "bytes", "files", "expect"}


def resolved(name, vector, files):
    """A vector with its bytes joined from their parts."""
    if not FIELDS.issuperset(vector):
        raise Unusable(f"{name}: {vector.get('id')}: unknown field; update this reader")
    if "bytes" in vector:
        vector["bytes"] = joined(vector["bytes"], files)
    if "files" in vector:
        vector["files"] = {name: joined(it, files) for name, it in vector["files"].items()}
    return vector


def joined(notation, files):
    if isinstance(notation, str):
        return bytes.fromhex(notation)
    parts = []
    for part in notation:
        if isinstance(part, str):
            parts.append(bytes.fromhex(part))
        elif "file" in part:
            if part["file"] not in files:
                raise Unusable(f"{part['file']}: not listed in index.json")
            parts.append(files[part["file"]])
        else:
            parts.append(bytes.fromhex(part["repeat"]) * part["times"])
    return b"".join(parts)
