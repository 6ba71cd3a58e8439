// Lists where cborg's strict mode departs from the vectors, by rule: `node compare.mjs [DIRECTORY]`.
//
// Needs `npm install cborg`. A departure is no fault of cborg, whose order of keys is that of
// RFC 7049 (length first) unless it is told otherwise.

import { fileURLToPath } from "node:url";
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import { ANY, load } from "./vectors.mjs";

/** What cborg makes of bytes and writes again, or undefined if it refuses them. */
function encoding(data) {
  try {
    const value = decode(data, { strict: true, useMaps: true, rejectDuplicateMapKeys: true });
    return Buffer.from(encode(value, rfc8949EncodeOptions));
  } catch {
    return undefined;
  }
}

const directory = process.argv[2] ?? fileURLToPath(new URL("../../vectors", import.meta.url));
const departures = new Map();
for (const [family, vectors] of load(directory, ANY)) {
  if (family !== "cbor") continue;
  // A limit is the caller's, and of no concern to a codec without any.
  for (const { rule, source, bytes, expect } of vectors.filter((it) => !("given" in it))) {
    const again = encoding(bytes);
    let what;
    if (expect.floats === "accept") {
      if (again === undefined) what = "refuses what is canonical";
      else if (!again.equals(bytes)) what = "writes other bytes";
    } else if (again !== undefined) what = "accepts";
    if (what === undefined) continue;
    const line = `| ${rule} | ${what} | `;
    const [count] = departures.get(line) ?? [0];
    departures.set(line, [count + 1, source]);
  }
}
for (const [line, [count, source]] of [...departures].sort()) {
  console.log(`${line}${count} | ${source} |`);
}
