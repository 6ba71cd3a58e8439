// Canonical CBOR (RFC 8949, section 4.2.1), strict: one encoding for each value.
//
// Values are arrays that begin with their kind: ["null"], ["bool", b], ["int", BigInt],
// ["float", the 64 bits as BigInt], ["bytes", Buffer], ["text", s], ["array", [...]],
// ["map", [[k, v], ...]].

const MAX_DEPTH = 128;
const MAX_LEN = 64 * 2 ** 20;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are refused; the message is the class. */
export class Refused extends Error {}

/** The text of bytes that are UTF-8, else undefined. */
export function text(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Reads one item; the first broken rule in reading order counts. */
class Decoder {
  constructor(data, floats, maxDepth) {
    Object.assign(this, { data, floats, maxDepth, at: 0 });
  }

  left() {
    return this.data.length - this.at;
  }

  take(count) {
    if (count > this.left()) throw new Refused("truncated");
    this.at += Number(count);
    return this.data.subarray(this.at - Number(count), this.at);
  }

  head() {
    const first = this.take(1)[0];
    const [major, info] = [first >> 5, first & 31];
    if ((info >= 28 && info <= 30) || (info === 31 && [0, 1, 6].includes(major))) {
      throw new Refused("reserved-info");
    }
    if (info < 24) return [major, info, BigInt(info)];
    if (info === 31) return [major, info, undefined];
    let argument = 0n;
    for (const byte of this.take(2 ** (info - 24))) argument = (argument << 8n) | BigInt(byte);
    return [major, info, argument];
  }

  item(depth) {
    const [major, info, argument] = this.head();
    if (major === 7) return this.simple(info, argument);
    if (info === 31) throw new Refused("indefinite-length");
    if (major === 6) throw new Refused("tag");
    if (info >= 24 && argument < [24n, 1n << 8n, 1n << 16n, 1n << 32n][info - 24]) {
      throw new Refused("non-shortest");
    }
    if (major <= 1) {
      if (argument >= 1n << 63n) throw new Refused("integer-range");
      return ["int", major === 0 ? argument : -1n - argument];
    }
    if (major >= 4 && depth >= this.maxDepth) throw new Refused("too-deep");
    if (major === 2) return ["bytes", this.take(argument)];
    if (major === 3) {
      const content = text(this.take(argument));
      if (content === undefined) throw new Refused("invalid-utf8");
      return ["text", content];
    }
    if (argument * BigInt(major - 3) > this.left()) throw new Refused("truncated");
    const count = Number(argument);
    if (major === 5) return ["map", this.pairs(count, depth + 1)];
    return ["array", Array.from({ length: count }, () => this.item(depth + 1))];
  }

  pairs(count, depth) {
    const pairs = [];
    let last;
    for (let n = 0; n < count; n++) {
      const start = this.at;
      const key = this.item(depth);
      const encoded = this.data.subarray(start, this.at);
      const order = last === undefined ? -1 : Buffer.compare(last, encoded);
      if (order === 0) throw new Refused("duplicate-key");
      if (order > 0) throw new Refused("key-order");
      last = encoded;
      pairs.push([key, this.item(depth)]);
    }
    return pairs;
  }

  simple(info, argument) {
    if (info === 31) throw new Refused("break");
    if (info === 20 || info === 21) return ["bool", info === 21];
    if (info === 22) return ["null"];
    if (info === 23) throw new Refused("undefined");
    if (info <= 24) throw new Refused("simple-value");
    if (!this.floats) throw new Refused("float-forbidden");
    const bits = widened(info, argument);
    if (bits === undefined) throw new Refused("not-a-number");
    if (info > shortest(bits)[0]) throw new Refused("non-shortest");
    return ["float", bits];
  }
}

const view = new DataView(new ArrayBuffer(8));

/** The 64 bits of a float of the width that `info` says; undefined if it is not a number. */
function widened(info, argument) {
  let number;
  if (info === 25) {
    const [exponent, mantissa] = [Number((argument >> 10n) & 31n), Number(argument & 1023n)];
    const size = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
    number = exponent === 31 ? (mantissa === 0 ? Infinity : NaN) : size;
    if (argument >> 15n) number = -number;
  } else if (info === 26) {
    view.setUint32(0, Number(argument));
    number = view.getFloat32(0);
  } else {
    view.setBigUint64(0, argument);
    number = view.getFloat64(0);
  }
  if (Number.isNaN(number)) return undefined;
  view.setFloat64(0, number);
  return view.getBigUint64(0);
}

/** The shortest width that preserves the value, as additional information, and the bits in it. */
function shortest(bits) {
  view.setBigUint64(0, bits);
  const number = view.getFloat64(0);
  if (!Object.is(Math.fround(number), number)) return [27, bits];
  view.setFloat32(0, number);
  const single = view.getUint32(0);
  const half = toHalf(single);
  return half !== undefined && widened(25, half) === bits ? [25, half] : [26, BigInt(single)];
}

/** A binary16 for a binary32, if there is one; the caller makes sure that nothing was lost. */
function toHalf(single) {
  const [sign, exponent] = [(single >>> 31) << 15, (single >>> 23) & 255];
  const mantissa = single & 0x7fffff;
  if (exponent === 255) return BigInt(sign | 0x7c00);
  if (exponent >= 113 && exponent <= 142) {
    return BigInt(sign | ((exponent - 112) << 10) | (mantissa >> 13));
  }
  if (exponent >= 103 && exponent < 113) {
    return BigInt(sign | ((mantissa | 0x800000) >> (126 - exponent)));
  }
  return exponent === 0 && mantissa === 0 ? BigInt(sign) : undefined;
}

/** The one item that fills the bytes; throws Refused. */
export function decode(data, floats, { max_depth = MAX_DEPTH, max_len = MAX_LEN } = {}) {
  if (data.length > max_len) throw new Refused("too-large");
  if (data.length === 0) throw new Refused("empty");
  const decoder = new Decoder(data, floats, max_depth);
  const value = decoder.item(0);
  if (decoder.left() > 0) throw new Refused("trailing-bytes");
  return value;
}

function head(major, argument) {
  argument = BigInt(argument);
  const at = [24n, 1n << 8n, 1n << 16n, 1n << 32n, 1n << 64n].findIndex((it) => argument < it);
  if (at === 0) return Buffer.from([(major << 5) | Number(argument)]);
  return sized((major << 5) | (23 + at), argument, 2 ** (at - 1));
}

function sized(first, argument, length) {
  return Buffer.from([first, ...Buffer.from(argument.toString(16).padStart(2 * length, "0"), "hex")]);
}

/** The canonical encoding. */
export function encode([kind, content]) {
  switch (kind) {
    case "null":
      return Buffer.from([0xf6]);
    case "bool":
      return Buffer.from([content ? 0xf5 : 0xf4]);
    case "int":
      return content >= 0n ? head(0, content) : head(1, -1n - content);
    case "float": {
      const [info, bits] = shortest(content);
      return sized(0xe0 | info, bits, 2 ** (info - 24));
    }
    case "bytes":
      return Buffer.concat([head(2, content.length), content]);
    case "text": {
      const bytes = Buffer.from(content, "utf8");
      return Buffer.concat([head(3, bytes.length), bytes]);
    }
    case "array":
      return Buffer.concat([head(4, content.length), ...content.map(encode)]);
    default: {
      const pairs = content.map(([key, item]) => [encode(key), encode(item)]);
      pairs.sort(([a], [b]) => Buffer.compare(a, b));
      return Buffer.concat([head(5, pairs.length), ...pairs.flat()]);
    }
  }
}

/** The value that the notation of the family `cbor` stands for (vectors/README.md). */
export function fromNotation(notation) {
  if (notation === null) return ["null"];
  if (typeof notation === "boolean") return ["bool", notation];
  const times = notation.times ?? 1;
  const [kind] = Object.keys(notation).filter((name) => name !== "times");
  const content = notation[kind];
  switch (kind) {
    case "int":
      return ["int", BigInt(content)];
    case "float":
      return ["float", BigInt(`0x${content}`)];
    case "bytes":
      return ["bytes", Buffer.from(content.repeat(times), "hex")];
    case "text":
      return ["text", content.repeat(times)];
    case "array":
      return ["array", Array(times).fill(content.map(fromNotation)).flat()];
    case "map":
      return ["map", content.map((pair) => pair.map(fromNotation))];
    case "numbered":
      return ["map", Array.from({ length: content }, (_, n) => [["int", BigInt(n)], ["null"]])];
    default:
      return nested(content[0], fromNotation(content[1]), times);
  }
}

function nested(nesting, value, times) {
  for (let n = 0; n < times; n++) {
    if (nesting === "array") value = ["array", [value]];
    else value = ["map", [nesting === "value" ? [["int", 0n], value] : [value, ["int", 0n]]]];
  }
  return value;
}
