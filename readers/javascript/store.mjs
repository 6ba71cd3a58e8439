// Whole logs and stores: what they show, or why they are refused (docs/format.md, 4 and 5).

import { Refused } from "./canonical.mjs";
import * as layout from "./layout.mjs";

const SEQUENCE_MAX = (1n << 64n) - 1n;

/** The last commit of a log, and its writes in order, each with its sequence. */
export function walLog(data, generation, cut, collections) {
  const first = recordAt(data, 0, generation);
  if (first?.kind !== "checkpoint") throw new Refused("corrupt");
  if (first.body.cut !== cut || first.synced_to !== cut) throw new Refused("corrupt");
  if (BigInt(data.length) < first.body.reserved) throw new Refused("corrupt");
  const log = { at: first.length, last: cut, syncedTo: cut, writes: [] };
  let open = { begun: false, writes: [] };
  while (log.last < SEQUENCE_MAX) {
    const record = recordAt(data, log.at, generation);
    if (record === undefined) break;
    const known = record.synced_to >= log.syncedTo && record.synced_to <= log.last;
    if (!known || !fits(record, open, log.last + 1n, collections)) throw new Refused("corrupt");
    log.syncedTo = record.synced_to;
    log.at += record.length;
    open.begun = true;
    if (record.kind === "commit") {
      log.last += 1n;
      log.writes.push(...open.writes.map((write) => ({ ...write, sequence: log.last })));
      open = { begun: false, writes: [] };
    } else if (record.kind !== "begin") {
      open.writes.push(record.body);
    }
  }
  if (hasWitness(data, log.at + 1, generation, log.last)) throw new Refused("corrupt");
  return log;
}

/** Whether a valid record is in its place in the grammar. */
function fits({ kind, body }, open, sequence, collections) {
  if (kind === undefined) return false;
  if (body.txid !== sequence || "before" in body) return false;
  if (kind === "begin") return !open.begun;
  if (kind === "commit") return open.writes.length > 0 && body.sequence === sequence;
  if (kind !== "put" && kind !== "delete") return false;
  const last = open.writes.at(-1);
  const ordered = last === undefined || layout.compareKeys(last, body) < 0;
  return open.begun && ordered && collections.has(body.collection);
}

/** The valid record of this generation and offset, or undefined: a break. */
function recordAt(data, at, generation) {
  const record = layout.ifRead(() => layout.walRecord(data.subarray(at)));
  const ours = record?.generation === generation && record?.offset === BigInt(at);
  return ours ? record : undefined;
}

/** Whether a record after the break was written when a commit above `last` was synced. */
function hasWitness(data, start, generation, last) {
  for (let at = data.indexOf("EWAL", start); at >= 0; at = data.indexOf("EWAL", at + 1)) {
    const record = recordAt(data, at, generation);
    if (record !== undefined && record.synced_to > last) return true;
  }
  return false;
}

/** The state that a store's directory shows: last commit, collections with their entities. */
export function store(files, readOnly) {
  const names = [...files.keys()].map(layout.fileName).filter((it) => it !== undefined);
  const present = (kind) => names.filter(([it]) => it === kind).map(([, number]) => number);
  const foreignLog = (files.get("wal.log")?.length ?? 0) > 0;
  if (!files.has("MANIFEST")) {
    if (present("wal").length > 0) throw new Refused("corrupt");
    if (foreignLog) throw new Refused("foreign");
    if (present("segment").length > 0) throw new Refused("corrupt");
    if (readOnly) throw new Refused("no-store");
    return { sequence: 0n, collections: [] };
  }
  const manifest = layout.manifest(files.get("MANIFEST"));
  const newer = manifest.newer !== undefined;
  if (manifest.indexes.length > 0 && !newer) throw new Refused("newer-version");
  if (foreignLog) throw new Refused("foreign");
  const isClosed = manifest.wals.length === 0;
  if (isClosed && present("segment").some((id) => id >= manifest.next_segment_id)) {
    throw new Refused("corrupt");
  }
  if (!isClosed && newer) throw new Refused("newer-version");
  if (!isClosed && readOnly) throw new Refused("needs-recovery");
  return recovered(files, manifest);
}

function recovered(files, manifest) {
  const newest = new Newest();
  let last = manifest.last_checkpoint ?? 0n;
  for (const info of manifest.segments) {
    const data = files.get(layout.segmentName(info.id));
    if (data === undefined) throw new Refused("corrupt");
    for (const record of layout.segment(data, info, last, manifest.newer !== undefined)) {
      newest.add(record, record.sequence, record.tombstone ? undefined : record.payload);
    }
  }
  const listed = new Set(manifest.collections.map((it) => it.id));
  for (const generation of manifest.wals) {
    const data = files.get(layout.walName(generation));
    if (data === undefined) throw new Refused("corrupt");
    const log = walLog(data, generation, last, listed);
    for (const write of log.writes) newest.add(write, write.sequence, write.content);
    last = log.last;
  }
  const shown = (it) => ({ ...it, entities: newest.entities(it.id) });
  return { sequence: last, collections: manifest.collections.map(shown) };
}

/** The newest version of every entity. */
export class Newest {
  #versions = new Map();

  add({ collection, entity }, sequence, content) {
    const key = `${collection} ${entity.toString("hex")}`;
    const known = this.#versions.get(key);
    if (known === undefined || known.sequence < sequence) {
      this.#versions.set(key, { collection, entity, sequence, content });
    }
  }

  /** The live entities of a collection, ascending. */
  entities(collection) {
    return [...this.#versions.values()]
      .filter((it) => it.collection === collection && it.content !== undefined)
      .sort(layout.compareKeys)
      .map((it) => [it.entity, it.content]);
  }
}
