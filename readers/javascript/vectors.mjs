// Loads a vectors directory (vectors/README.md) and verifies it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "./layout.mjs";

const [FORMAT, VERSION] = ["proofhouse-vectors", 1];
const FIELDS = "id rule meaning source value diagnostic given bytes files expect".split(" ");

/** Whatever families there are: for programs that look at one of them only. */
export const ANY = { has: () => true };

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
  if (!(content.version <= VERSION)) {
    const newer = `format version ${content.version}, but ${VERSION} is the newest known`;
    throw new Unusable(`${name}: ${newer}`);
  }
  return content;
}

/** Yields [family, its vectors]; `known` are the names of families. */
export function* load(directory, known) {
  const index = parse("index.json", read(directory, "index.json"));
  for (const entry of index.families) {
    if (!known.has(entry.family)) {
      throw new Unusable(`${entry.file}: unknown family ${entry.family}`);
    }
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
