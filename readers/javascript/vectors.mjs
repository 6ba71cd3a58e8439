// Loads a vectors directory (vectors/README.md) and verifies it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "./layout.mjs";

const [FORMAT, VERSION] = ["proofhouse-vectors", 1];
const FIELDS = "id rule meaning source value diagnostic given bytes files expect".split(" ");

/** Whatever families there are: for programs that look at one of them only. */
export const ANY = undefined;

/** Vectors that cannot be used; the message names the file. */
export class Unusable extends Error {}

function read(directory, name) {
  try {
    return readFileSync(join(directory, name));
  } catch (error) {
    throw new Unusable(`${name}: ${error.code}; restore it`);
  }
}

function parse(name, data) {
  let content;
  try {
    content = JSON.parse(data);
  } catch (error) {
    throw new Unusable(`${name}: ${error.message}; restore it`);
  }
  if (content?.format !== FORMAT) throw new Unusable(`${name}: not a file of ${FORMAT}; restore it`);
  const { version } = content;
  if (!Number.isInteger(version) || version < 1) {
    throw new Unusable(`${name}: version ${JSON.stringify(version)} is no integer from 1 on; restore it`);
  }
  if (version > VERSION) {
    throw new Unusable(`${name}: format version ${version}, but ${VERSION} is the newest known`);
  }
  return content;
}

/** Every family that is listed is known, and every known one has vectors: else none would fail. */
function require(families, known) {
  for (const { family, file } of families) {
    if (!known.has(family)) throw new Unusable(`${file}: unknown family ${family}`);
  }
  const listed = new Set(families.filter((it) => it.vectors > 0).map((it) => it.family));
  for (const family of known) {
    if (listed.has(family)) continue;
    throw new Unusable(`index.json: no vectors of family ${family} are listed; restore it`);
  }
}

/** Yields [family, its vectors]; `known` are the names of families, or ANY. */
export function* load(directory, known) {
  const index = parse("index.json", read(directory, "index.json"));
  if (known !== ANY) require(index.families, known);
  for (const entry of index.families) {
    const files = new Map();
    for (const [name, digest] of Object.entries(entry.sha256)) {
      files.set(name, read(directory, name));
      if (sha256(files.get(name)).toString("hex") !== digest) {
        throw new Unusable(`${name}: its SHA-256 is not the one in index.json; restore it`);
      }
    }
    const family = parse(entry.file, files.get(entry.file) ?? "");
    if (family.family !== entry.family || family.vectors.length !== entry.vectors) {
      throw new Unusable(`${entry.file}: not what index.json lists; restore it`);
    }
    yield [entry.family, family.vectors.map((it) => resolved(entry.file, it, files))];
  }
}

/** A vector with its bytes joined from their parts. */
function resolved(file, vector, files) {
  if (Object.keys(vector).some((name) => !FIELDS.includes(name))) {
    throw new Unusable(`${file}: ${vector.id}: unknown field; update this reader`);
  }
  if ("bytes" in vector) vector.bytes = joined(vector.bytes, files);
  if ("files" in vector) {
    const named = Object.entries(vector.files);
    vector.files = new Map(named.map(([name, bytes]) => [name, joined(bytes, files)]));
  }
  return vector;
}

function joined(notation, files) {
  const parts = typeof notation === "string" ? [notation] : notation;
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string") return Buffer.from(part, "hex");
      if (!("file" in part)) return Buffer.from(part.repeat.repeat(part.times), "hex");
      if (!files.has(part.file)) throw new Unusable(`${part.file}: not listed in index.json`);
      return files.get(part.file);
    }),
  );
}
