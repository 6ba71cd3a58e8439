// Reads every vector and says where this reader disagrees: `node check.mjs [DIRECTORY]`.
//
// Node's own modules only. Exit code 0: no disagreement; 1: vectors that cannot be used; 10: some
// vector disagrees.

import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import * as canonical from "./canonical.mjs";
import * as layout from "./layout.mjs";
import { Newest, store, walLog } from "./store.mjs";
import { load, Unusable } from "./vectors.mjs";

const { Refused } = canonical;
const NOT_COVERED = ["script"];

/** The notation of fields: integers as decimal strings, bytes as hexadecimal. */
function plain(value) {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

function encodes(written, data) {
  if (!written.equals(data)) throw new Refused("encodes otherwise");
}

function cbor(vector, setting) {
  const value = canonical.decode(vector.bytes, setting === "floats", vector.given);
  encodes(canonical.encode(value), vector.bytes);
  if (!("value" in vector)) return value;
  const due = canonical.fromNotation(vector.value);
  encodes(canonical.encode(due), vector.bytes);
  return isDeepStrictEqual(value, due) ? vector.value : value;
}

/** Records of version 1 are read as EntiDB writes them, and told from those of version 2. */
function goldenEntidb(vector) {
  const [kind] = Object.keys(vector.value);
  if (kind === "segment-record") return plain({ [kind]: layout.segmentRecord(vector.bytes)[0] });
  if (kind === "manifest") {
    try {
      return layout.manifest(vector.bytes);
    } catch (error) {
      return error.message === "foreign" ? vector.value : error.message;
    }
  }
  const record = layout.walRecord(vector.bytes);
  if (record.generation !== undefined) return "version 2";
  const { content, ...body } = record.body;
  const fields = content === undefined ? body : { ...body, after: content };
  return plain({ [kind]: { [record.kind]: fields } });
}

function hash({ bytes }) {
  const crc32 = layout.crc32(bytes).toString(16).padStart(8, "0");
  return { crc32, sha256: layout.sha256(bytes).toString("hex") };
}

function name({ bytes, rule }) {
  if (rule === "key-order") return { order: keyOrder(bytes) };
  const isFile = rule === "file-name";
  const text = canonical.text(bytes);
  if (text === undefined) throw new Refused(isFile ? "foreign" : "invalid");
  if (!isFile) {
    if (bytes.length < 1 || bytes.length > 255) throw new Refused("invalid");
    return { collection: text };
  }
  const found = layout.fileName(text);
  if (found === undefined) throw new Refused("foreign");
  return plain({ [found[0]]: found[1] });
}

function keyOrder(bytes) {
  const keys = [];
  if (bytes.length % 20 !== 0) throw new Refused("invalid");
  for (let at = 0; at < bytes.length; at += 20) {
    const entity = bytes.subarray(at + 4, at + 20);
    keys.push({ position: keys.length, collection: bytes.readUInt32LE(at), entity });
  }
  return keys.sort(layout.compareKeys).map((key) => String(key.position));
}

function walRecord({ bytes }) {
  const record = layout.walRecord(bytes);
  if (record.kind === undefined) throw new Refused("invalid");
  if (record.generation === undefined) throw new Refused("version-1");
  encodes(layout.writeWalRecord(record), bytes.subarray(0, record.length));
  const { kind, body, ...fields } = record;
  return plain({ ...fields, record: { [kind]: body } });
}

function segmentRecord({ bytes }) {
  const [record, length] = layout.segmentRecord(bytes);
  encodes(layout.writeSegmentRecord(record), bytes.subarray(0, length));
  return plain({ ...record, length });
}

function manifest({ bytes }) {
  const fields = layout.manifest(bytes);
  encodes(layout.writeManifest(fields), bytes);
  return plain(fields);
}

function wholeLog({ bytes, given }) {
  const ids = given.collections.map(Number);
  const log = walLog(bytes, Number(given.generation), BigInt(given.cut), new Set(ids));
  const newest = new Newest();
  for (const write of log.writes) newest.add(write, write.sequence, write.content);
  const collections = ids.map((id) => ({ id, entities: newest.entities(id) }));
  return plain({ sequence: log.last, collections });
}

function segment({ bytes, given }) {
  const [len, records] = [BigInt(given.len), BigInt(given.records)];
  const info = { len, records, digest: Buffer.from(given.digest, "hex") };
  return plain({ records: layout.segment(bytes, info, BigInt(given.last_checkpoint)) });
}

const wholeStore = ({ files }, setting) => plain(store(files, setting === "read-only"));

const FAMILIES = new Map([
  ["cbor", cbor],
  ["golden-entidb", goldenEntidb],
  ["hash", hash],
  ["name", name],
  ["wal-record", walRecord],
  ["segment-record", segmentRecord],
  ["manifest", manifest],
  ["wal-log", wholeLog],
  ["segment", segment],
  ["store", wholeStore],
  ["release-store", wholeStore],
]);

/** What is wrong with this reader's answers, or undefined. */
function disagreement(family, vector) {
  for (const [setting, due] of Object.entries(vector.expect)) {
    let found;
    let accepted = true;
    try {
      found = FAMILIES.get(family)(vector, setting);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      [found, accepted] = [error.message, false];
    }
    const right = due === "accept" ? vector.value : due.reject;
    if (accepted !== (due === "accept") || !isDeepStrictEqual(found, right)) {
      const told = JSON.stringify(found, (_, it) => (typeof it === "bigint" ? String(it) : it));
      return `${family} ${vector.id} (${setting}): due ${JSON.stringify(due)}, found ${told}`;
    }
  }
  return undefined;
}

function main(directory) {
  let [read, wrong] = [0, 0];
  for (const [family, vectors] of load(directory, new Set([...FAMILIES.keys(), ...NOT_COVERED]))) {
    if (NOT_COVERED.includes(family)) {
      console.log(`${family}: ${vectors.length} vectors are not for readers`);
      continue;
    }
    const told = vectors.map((it) => disagreement(family, it)).filter((it) => it !== undefined);
    for (const line of told) console.error(line.slice(0, 2000));
    console.log(`${family}: ${vectors.length - told.length} of ${vectors.length} vectors agree`);
    [read, wrong] = [read + vectors.length, wrong + told.length];
  }
  console.log(`javascript: ${read - wrong} of ${read} vectors agree`);
  return wrong > 0 || read === 0 ? 10 : 0;
}

try {
  process.exitCode = main(process.argv[2] ?? fileURLToPath(new URL("../../vectors", import.meta.url)));
} catch (error) {
  if (!(error instanceof Unusable)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
