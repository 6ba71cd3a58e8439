"""Canonical CBOR (RFC 8949, section 4.2.1), strict: one encoding for each value.

Values are tuples that begin with their kind: ("null",), ("bool", b), ("int", n),
("float", the 64 bits), ("bytes", b), ("text", s), ("array", [...]), ("map", [(k, v), ...]).
"""

import struct

MAX_DEPTH = 128
MAX_LEN = 64 << 20


class Refused(Exception):
    """Bytes that are refused; the message is the class."""


class Decoder:
    """Reads one item; the first broken rule in reading order counts."""

    def __init__(self, data, floats, max_depth):
        self.data, self.at = data, 0
        self.floats, self.max_depth = floats, max_depth

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise Refused("truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def head(self):
        """The major type, the additional information, the argument."""
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if 28 <= info <= 30 or (info == 31 and major in (0, 1, 6)):
            raise Refused("reserved-info")
        if info < 24:
            return major, info, info
        if info == 31:
            return major, info, None
        return major, info, int.from_bytes(self.take(1 << (info - 24)), "big")

    def item(self, depth):
        major, info, argument = self.head()
        if major == 7:
            return self.simple(info, argument)
        if info == 31:
            raise Refused("indefinite-length")
        if major == 6:
            raise Refused("tag")
        if info >= 24 and argument < (24, 1 << 8, 1 << 16, 1 << 32)[info - 24]:
            raise Refused("non-shortest")
        if major <= 1:
            if argument >= 1 << 63:
                raise Refused("integer-range")
            return ("int", argument if major == 0 else -1 - argument)
        if major >= 4 and depth >= self.max_depth:
            raise Refused("too-deep")
        if major == 2:
            return ("bytes", self.take(argument))
        if major == 3:
            try:
                return ("text", self.take(argument).decode("utf-8"))
            except UnicodeDecodeError:
                raise Refused("invalid-utf8") from None
        if argument * (major - 3) > self.left():
            raise Refused("truncated")
        if major == 4:
            return ("array", [self.item(depth + 1) for _ in range(argument)])
        return ("map", self.pairs(argument, depth + 1))

    def pairs(self, count, depth):
        pairs, last = [], None
        for _ in range(count):
            start = self.at
            key = self.item(depth)
            encoded = self.data[start : self.at]
            if last is not None and encoded == last:
                raise Refused("duplicate-key")
            if last is not None and encoded < last:
                raise Refused("key-order")
            last = encoded
            pairs.append((key, self.item(depth)))
        return pairs

    def simple(self, info, argument):
        if info == 31:
            raise Refused("break")
        if info in (20, 21):
            return ("bool", info == 21)
        if info == 22:
            return ("null",)
        if info == 23:
            raise Refused("undefined")
        if info <= 24:
            raise Refused("simple-value")
        if not self.floats:
            raise Refused("float-forbidden")
        length = 1 << (info - 24)
        number = struct.unpack(FLOATS[length], argument.to_bytes(length, "big"))[0]
        if number != number:
            raise Refused("not-a-number")
        if length > len(shortest(number)):
            raise Refused("non-shortest")
        return ("float", bits(number))


FLOATS = {2: ">e", 4: ">f", 8: ">d"}


def bits(number):
    return int.from_bytes(struct.pack(">d", number), "big")


def shortest(number):
    """The shortest of the three widths that preserves the value."""
    for layout in (">e", ">f"):
        try:
            packed = struct.pack(layout, number)
        except OverflowError:
            continue
        if bits(struct.unpack(layout, packed)[0]) == bits(number):
            return packed
    return struct.pack(">d", number)


def decode(data, floats, max_depth=MAX_DEPTH, max_len=MAX_LEN):
    """The one item that fills the bytes; raises Refused."""
    if len(data) > max_len:
        raise Refused("too-large")
    if not data:
        raise Refused("empty")
    decoder = Decoder(data, floats, max_depth)
    value = decoder.item(0)
    if decoder.left():
        raise Refused("trailing-bytes")
    return value


def head(major, argument):
    if argument < 24:
        return bytes([major << 5 | argument])
    for info, length in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * length):
            return bytes([major << 5 | info]) + argument.to_bytes(length, "big")
    raise ValueError(argument)


def encode(value):
    """The canonical encoding."""
    kind = value[0]
    if kind == "null":
        return b"\xf6"
    content = value[1]
    if kind == "bool":
        return b"\xf5" if content else b"\xf4"
    if kind == "int":
        return head(0, content) if content >= 0 else head(1, -1 - content)
    if kind == "float":
        packed = shortest(struct.unpack(">d", content.to_bytes(8, "big"))[0])
        return bytes([0xF8 + len(packed).bit_length() - 1]) + packed
    if kind == "bytes":
        return head(2, len(content)) + content
    if kind == "text":
        text = content.encode("utf-8")
        return head(3, len(text)) + text
    if kind == "array":
        return head(4, len(content)) + b"".join(map(encode, content))
    pairs = sorted((encode(key), encode(item)) for key, item in content)
    return head(5, len(pairs)) + b"".join(key + item for key, item in pairs)


def from_notation(notation):
    """The value that the notation of the family `cbor` stands for (vectors/README.md)."""
    if notation is None:
        return ("null",)
    if isinstance(notation, bool):
        return ("bool", notation)
    times = notation.get("times", 1)
    (kind,) = set(notation) - {"times"}
    content = notation[kind]
    if kind == "int":
        return ("int", int(content))
    if kind == "float":
        return ("float", int(content, 16))
    if kind == "bytes":
        return ("bytes", bytes.fromhex(content) * times)
    if kind == "text":
        return ("text", content * times)
    if kind == "array":
        return ("array", [from_notation(item) for item in content] * times)
    if kind == "map":
        return ("map", [(from_notation(key), from_notation(item)) for key, item in content])
    if kind == "numbered":
        return ("map", [(("int", n), ("null",)) for n in range(content)])
    nesting, value = content[0], from_notation(content[1])
    for _ in range(times):
        if nesting == "array":
            value = ("array", [value])
        elif nesting == "value":
            value = ("map", [(("int", 0), value)])
        else:
            value = ("map", [(value, ("int", 0))])
    return value
