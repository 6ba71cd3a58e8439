// Records, segments, logs and MANIFEST, as docs/format.md lists their fields.

import { createHash } from "node:crypto";
import { Refused, text } from "./canonical.mjs";

const SEGMENT_OVERHEAD = 37;
const WAL_HEADER = 11;
const WAL_PAYLOAD_MAX = 64 * 2 ** 20 + 128;
const MANIFEST_MAX = 64 * 2 ** 20;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = (byte >>> 1) ^ (byte & 1 ? 0xedb88320 : 0);
  return byte;
});

export function crc32(data) {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}

export function sha256(data) {
  return createHash("sha256").update(data).digest();
}

/** Fields that are not there, or not what they must be. */
class Malformed extends Error {}

/** Reads fields one after another. */
class Fields {
  constructor(data) {
    Object.assign(this, { data, at: 0 });
  }

  take(count) {
    if (this.at + count > this.data.length) throw new Malformed();
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  u8() {
    return this.take(1)[0];
  }

  u16() {
    return this.take(2).readUInt16LE();
  }

  u32() {
    return this.take(4).readUInt32LE();
  }

  u64() {
    return this.take(8).readBigUInt64LE();
  }

  flag() {
    const value = this.u8();
    if (value > 1) throw new Malformed();
    return value === 1;
  }

  text() {
    const value = text(this.take(this.u16()));
    if (value === undefined) throw new Malformed();
    return value;
  }

  list(item) {
    const list = [];
    for (let left = this.u32(); left > 0; left--) list.push(item());
    return list;
  }

  /** The bytes that are left. */
  rest() {
    return this.take(this.data.length - this.at);
  }

  done() {
    return this.at === this.data.length;
  }
}

const u8 = (value) => Buffer.from([value]);
const u16 = (value) => sized(2, (it) => it.writeUInt16LE(value));
const u32 = (value) => sized(4, (it) => it.writeUInt32LE(value));
const u64 = (value) => sized(8, (it) => it.writeBigUInt64LE(value));
const counted = (list, item) => Buffer.concat([u32(list.length), ...list.map(item)]);

function sized(length, write) {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}

function withCrc(...parts) {
  const covered = Buffer.concat(parts);
  return Buffer.concat([covered, u32(crc32(covered))]);
}

function verifies(data) {
  return crc32(data.subarray(0, -4)) === data.readUInt32LE(data.length - 4);
}

// Names (section 1).

const FIXED = ["MANIFEST", "MANIFEST.tmp", "wal.log", "LOCK"];
const NUMBERED = [
  ["wal", /^wal-(\d{6,})\.log$/, 1n << 32n],
  ["segment", /^SEGMENTS\/seg-(\d{6,})\.dat$/, 1n << 64n],
  ["sidecar", /^INDEX\/seg-(\d{6,})\.idx$/, 1n << 64n],
];

/** What a name is: its kind and number, or undefined for a foreign name. */
export function fileName(name) {
  if (FIXED.includes(name)) return ["file", name];
  for (const [kind, form, limit] of NUMBERED) {
    const digits = form.exec(name)?.[1];
    if (digits === undefined || (digits.length > 6 && digits[0] === "0")) continue;
    if (BigInt(digits) < limit) return [kind, BigInt(digits)];
  }
  return undefined;
}

export const segmentName = (id) => `SEGMENTS/seg-${String(id).padStart(6, "0")}.dat`;
export const walName = (generation) => `wal-${String(generation).padStart(6, "0")}.log`;

// Segment records (section 3).

/** The record at the beginning of the bytes and its length. Under a newer minor version it may be
 * of an unknown type. */
export function segmentRecord(data, newer = false) {
  if (data.length < 4) throw new Refused("short");
  const length = data.readUInt32LE();
  if (length < SEGMENT_OVERHEAD) throw new Refused("length");
  if (data.length < length) throw new Refused("short");
  const record = data.subarray(0, length);
  if (!verifies(record)) throw new Refused("crc");
  const payload = record.subarray(33, -4);
  const flags = record[24];
  const unknown = flags > 1;
  if ((unknown && !newer) || (flags === 1 && payload.length > 0)) throw new Refused("flags");
  const fields = {
    collection: record.readUInt32LE(4),
    entity: record.subarray(8, 24),
    sequence: record.readBigUInt64LE(25),
    payload,
    tombstone: flags === 1,
  };
  return [fields, length, unknown];
}

export function writeSegmentRecord({ collection, entity, sequence, payload, tombstone }) {
  const length = u32(SEGMENT_OVERHEAD + payload.length);
  return withCrc(length, u32(collection), entity, u8(Number(tombstone)), u64(sequence), payload);
}

const possible = (info) =>
  info.records >= 1n &&
  info.records <= info.len / BigInt(SEGMENT_OVERHEAD) &&
  info.len < 1n << 32n;

/** How two keys, of collection and entity, compare. */
export function compareKeys(a, b) {
  return a.collection - b.collection || Buffer.compare(a.entity, b.entity);
}

/** The known records of a whole segment, checked in every respect. */
export function segment(data, info, lastCheckpoint, newer = false) {
  if (!possible(info) || BigInt(data.length) !== info.len) throw new Refused("corrupt");
  const [records, crcs] = [[], []];
  let last;
  for (let at = 0; at < data.length; ) {
    const found = ifRead(() => segmentRecord(data.subarray(at), newer));
    if (found === undefined) throw new Refused("corrupt");
    const [record, length, unknown] = found;
    if (last !== undefined && compareKeys(last, record) >= 0) throw new Refused("corrupt");
    if (record.sequence < 1n || record.sequence > lastCheckpoint) throw new Refused("corrupt");
    at += length;
    last = record;
    if (!unknown) records.push(record);
    crcs.push(data.subarray(at - 4, at));
  }
  const digest = sha256(Buffer.concat(crcs));
  if (BigInt(crcs.length) !== info.records || !digest.equals(info.digest)) {
    throw new Refused("corrupt");
  }
  return records;
}

/** What `read` answers, or undefined if it refuses. */
export function ifRead(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

/** Reads fields, and refuses for `refusal` where they are malformed. */
function fieldsOr(refusal, read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof Malformed ? new Refused(refusal) : error;
  }
}

// Log records (section 4).

const KINDS = [undefined, "begin", "put", "delete", "commit", "abort", "checkpoint"];

/** The record at the beginning of the bytes; `generation` is undefined in version 1. One of an
 * unknown type that verifies is told by its stamp alone. */
export function walRecord(data) {
  if (data.length < WAL_HEADER) throw new Refused("short");
  const [version, kind, length] = [data.readUInt16LE(4), data[6], data.readUInt32LE(7)];
  const known = data.subarray(0, 4).equals(Buffer.from("EWAL")) && (version === 1 || version === 2);
  if (!known || length > WAL_PAYLOAD_MAX) throw new Refused("invalid");
  const whole = WAL_HEADER + length + 4;
  if (data.length < whole) throw new Refused("short");
  if (!verifies(data.subarray(0, whole))) throw new Refused("invalid");
  const fields = new Fields(data.subarray(WAL_HEADER, whole - 4));
  return fieldsOr("invalid", () => {
    const record = { kind: KINDS[kind], length: whole };
    if (version === 2) {
      const [generation, offset, synced_to] = [fields.u32(), fields.u64(), fields.u64()];
      Object.assign(record, { generation, offset, synced_to });
      if (record.kind === undefined) return record;
    }
    if (record.kind === undefined) throw new Malformed();
    record.body = walBody(fields, record.kind, version);
    if (!fields.done()) throw new Malformed();
    return record;
  });
}

function walBody(fields, kind, version) {
  if (kind === "checkpoint") {
    const cut = fields.u64();
    return version === 2 ? { cut, reserved: fields.u64() } : { cut };
  }
  const body = { txid: fields.u64() };
  if (kind === "commit") body.sequence = fields.u64();
  if (kind !== "put" && kind !== "delete") return body;
  body.collection = fields.u32();
  body.entity = fields.take(16);
  if (fields.flag()) body.before = fields.take(32);
  if (kind === "put") body.content = fields.take(fields.u32());
  return body;
}

export function writeWalRecord({ generation, offset, synced_to, kind, body }) {
  const payload = [u32(generation), u64(offset), u64(synced_to)];
  for (const name of ["txid", "cut", "reserved", "sequence"]) {
    if (name in body) payload.push(u64(body[name]));
  }
  if (kind === "put" || kind === "delete") {
    payload.push(u32(body.collection), body.entity, u8(Number("before" in body)));
    payload.push(body.before ?? Buffer.alloc(0));
  }
  if (kind === "put") payload.push(u32(body.content.length), body.content);
  const bytes = Buffer.concat(payload);
  const type = KINDS.indexOf(kind);
  return withCrc(Buffer.from("EWAL"), u16(2), u8(type), u32(bytes.length), bytes);
}

// MANIFEST (section 2).

function version(fields, known) {
  const found = fields.u16();
  if (found !== known) throw new Refused(found > known ? "newer-version" : "corrupt");
}

function magic(fields, known) {
  if (!fields.take(4).equals(Buffer.from(known))) throw new Refused("corrupt");
}

const ascending = (list, compare) =>
  list.every((item, at) => at === 0 || compare(list[at - 1], item) < 0);
const byId = (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const byName = (a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

function manifestBody(fields, manifestVersion) {
  magic(fields, "EMFN");
  version(fields, manifestVersion);
  version(fields, 1);
  const minor = fields.u16();
  const body = { format_minor: minor, next_collection_id: fields.u32() };
  body.collections = fields.list(() => ({ name: fields.text(), id: fields.u32() }));
  body.next_index_id = manifestVersion === 2 ? fields.u64() : 1n;
  body.indexes = manifestVersion === 2 ? fields.list(() => index(fields, minor)) : [];
  body.last_checkpoint = fields.flag() ? fields.u64() : null;
  if (!ascending(body.collections, byName) || !ascending(body.indexes, byId)) {
    throw new Refused("corrupt");
  }
  return body;
}

function index(fields, minor) {
  const found = { id: fields.u64(), collection: fields.u32(), path: [] };
  for (let left = fields.u16(); left > 0; left--) found.path.push(fields.text());
  found.kind = fields.u8();
  if (found.kind > 1 && minor === 0) throw new Malformed();
  found.unique = fields.flag();
  found.created_at = fields.u64();
  return found;
}

function trailer(fields) {
  magic(fields, "EMFT");
  version(fields, 1);
  return {
    next_segment_id: fields.u64(),
    next_generation: fields.u32(),
    segments: fields.list(() => ({
      id: fields.u64(),
      len: fields.u64(),
      records: fields.u64(),
      digest: fields.take(32),
    })),
    wals: fields.list(() => fields.u32()),
  };
}

/** All fields of a whole file. */
export function manifest(data) {
  if (data.length > MANIFEST_MAX) throw new Refused("corrupt");
  if (data.length < 4 || !verifies(data)) throw new Refused(isBody(data) ? "foreign" : "corrupt");
  const fields = new Fields(data.subarray(0, -4));
  const read = () => ({ ...manifestBody(fields, 2), ...trailer(fields) });
  const { format_minor, ...found } = fieldsOr("corrupt", read);
  if (format_minor > 0) found.newer = { format_minor, fields: fields.rest() };
  if (!fields.done() || !withinRules(found)) throw new Refused("corrupt");
  return found;
}

/** Whether the file is as EntiDB writes it: a body of either version and nothing more. */
function isBody(data) {
  const fields = new Fields(data);
  const older = data.length >= 6 && data.readUInt16LE(4) === 1;
  const read = () => fieldsOr("corrupt", () => manifestBody(fields, older ? 1 : 2));
  return ifRead(read)?.format_minor === 0 && fields.done();
}

function withinRules(found) {
  const ids = found.collections.map((it) => it.id);
  const named = (it) => {
    const length = Buffer.byteLength(it.name);
    return length >= 1 && length <= 255;
  };
  return (
    new Set(ids).size === ids.length &&
    ids.every((id) => id < found.next_collection_id) &&
    found.collections.every(named) &&
    found.indexes.every((it) => it.id < found.next_index_id) &&
    ascending(found.segments, byId) &&
    found.segments.every((it) => it.id < found.next_segment_id && possible(it)) &&
    ascending(found.wals, (a, b) => a - b) &&
    found.wals.every((it) => it < found.next_generation) &&
    found.wals.length <= 2
  );
}

export function writeManifest(fields) {
  const named = (name) => {
    const bytes = Buffer.from(name);
    return Buffer.concat([u16(bytes.length), bytes]);
  };
  const checkpoint = fields.last_checkpoint;
  return withCrc(
    Buffer.from("EMFN"),
    ...[u16(2), u16(1), u16(fields.newer?.format_minor ?? 0), u32(fields.next_collection_id)],
    counted(fields.collections, (it) => Buffer.concat([named(it.name), u32(it.id)])),
    u64(fields.next_index_id),
    counted(fields.indexes, (it) =>
      Buffer.concat([
        ...[u64(it.id), u32(it.collection), u16(it.path.length), ...it.path.map(named)],
        ...[u8(it.kind), u8(Number(it.unique)), u64(it.created_at)],
      ]),
    ),
    ...(checkpoint === null ? [u8(0)] : [u8(1), u64(checkpoint)]),
    ...[Buffer.from("EMFT"), u16(1), u64(fields.next_segment_id), u32(fields.next_generation)],
    counted(fields.segments, (it) =>
      Buffer.concat([u64(it.id), u64(it.len), u64(it.records), it.digest]),
    ),
    counted(fields.wals, u32),
    fields.newer?.fields ?? Buffer.alloc(0),
  );
}
