/* Reads vectors and says where this reader disagrees: `cc -std=c11 -o reader reader.c && ./reader
 * vectors`. One file, libc only. It covers canonical CBOR, the checksums, and single records of
 * logs and segments (docs/format.md, 3 and 4).
 *
 * Exit code 0: no disagreement; 1: vectors that cannot be used; 10: some vector disagrees. */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void unusable(const char *form, ...) {
    va_list arguments;
    va_start(arguments, form);
    vfprintf(stderr, form, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* Memory is never given back: the program ends when the vectors do. */
static void *allocate(size_t size) {
    void *memory = calloc(1, size + 1);
    if (memory == NULL) unusable("out of memory");
    return memory;
}

typedef struct {
    uint8_t *data;
    size_t len, room;
} Bytes;

static void push(Bytes *bytes, const void *data, size_t len) {
    if (bytes->len + len > bytes->room) {
        bytes->room = 2 * (bytes->len + len);
        bytes->data = realloc(bytes->data, bytes->room);
        if (bytes->data == NULL) unusable("out of memory");
    }
    if (len > 0) memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

static void push_byte(Bytes *bytes, uint8_t byte) { push(bytes, &byte, 1); }

static bool equal(const Bytes *a, const Bytes *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static Bytes part(const Bytes *bytes, size_t from, size_t len) {
    return (Bytes){bytes->data + from, len, 0};
}

/* ---- JSON ---- */

typedef enum { NUL, BOOL, NUMBER, STRING, ARRAY, OBJECT } Kind;

typedef struct Json Json;
struct Json {
    Kind kind;
    bool truth;
    uint64_t number;
    Bytes text; /* of a string, and the name of a member in `name` */
    Bytes name;
    Json *first, *next;
};

typedef struct {
    const char *file;
    const uint8_t *at, *end;
} Parser;

static _Noreturn void malformed(const Parser *parser) {
    unusable("%s: no JSON of the kind that vectors are; restore it", parser->file);
}

static void blanks(Parser *parser) {
    while (parser->at < parser->end && strchr(" \t\r\n", *parser->at) != NULL) parser->at++;
}

static bool is_next(Parser *parser, char sign) {
    blanks(parser);
    if (parser->at == parser->end || *parser->at != (uint8_t)sign) return false;
    parser->at++;
    return true;
}

static void push_character(Bytes *text, uint32_t code) {
    if (code < 0x80) {
        push_byte(text, (uint8_t)code);
    } else if (code < 0x800) {
        push_byte(text, (uint8_t)(0xc0 | code >> 6));
        push_byte(text, (uint8_t)(0x80 | (code & 63)));
    } else if (code < 0x10000) {
        push_byte(text, (uint8_t)(0xe0 | code >> 12));
        push_byte(text, (uint8_t)(0x80 | (code >> 6 & 63)));
        push_byte(text, (uint8_t)(0x80 | (code & 63)));
    } else {
        push_byte(text, (uint8_t)(0xf0 | code >> 18));
        push_byte(text, (uint8_t)(0x80 | (code >> 12 & 63)));
        push_byte(text, (uint8_t)(0x80 | (code >> 6 & 63)));
        push_byte(text, (uint8_t)(0x80 | (code & 63)));
    }
}

static uint32_t four_digits(Parser *parser) {
    char digits[5] = {0};
    if (parser->end - parser->at < 4) malformed(parser);
    memcpy(digits, parser->at, 4);
    parser->at += 4;
    return (uint32_t)strtoul(digits, NULL, 16);
}

static void escaped(Parser *parser, Bytes *text) {
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *found = strchr(names, *parser->at);
    if (*parser->at != 'u') {
        if (found == NULL || *found == 0) malformed(parser);
        push_byte(text, (uint8_t)meant[found - names]);
        parser->at++;
        return;
    }
    parser->at++;
    uint32_t code = four_digits(parser);
    if (code >= 0xd800 && code < 0xdc00) {
        parser->at += 2;
        code = 0x10000 + ((code - 0xd800) << 10) + (four_digits(parser) - 0xdc00);
    }
    push_character(text, code);
}

static Bytes string(Parser *parser) {
    Bytes text = {0};
    if (!is_next(parser, '"')) malformed(parser);
    while (parser->end - parser->at >= 2 && *parser->at != '"') {
        if (*parser->at != '\\') {
            push_byte(&text, *parser->at++);
        } else {
            parser->at++;
            escaped(parser, &text);
        }
    }
    if (!is_next(parser, '"')) malformed(parser);
    return text;
}

static Json *value(Parser *parser);

/* The members of an object, or the items of an array, up to `close`. */
static void children(Parser *parser, Json *json, char close) {
    Json **last = &json->first;
    if (is_next(parser, close)) return;
    do {
        Bytes name = {0};
        if (json->kind == OBJECT) {
            name = string(parser);
            if (!is_next(parser, ':')) malformed(parser);
        }
        *last = value(parser);
        (*last)->name = name;
        last = &(*last)->next;
    } while (is_next(parser, ','));
    if (!is_next(parser, close)) malformed(parser);
}

static bool word(Parser *parser, const char *word) {
    size_t len = strlen(word);
    if ((size_t)(parser->end - parser->at) < len || memcmp(parser->at, word, len) != 0) return false;
    parser->at += len;
    return true;
}

static Json *value(Parser *parser) {
    Json *json = allocate(sizeof *json);
    blanks(parser);
    if (parser->at == parser->end) malformed(parser);
    if (*parser->at == '"') {
        json->kind = STRING;
        json->text = string(parser);
    } else if (is_next(parser, '{')) {
        json->kind = OBJECT;
        children(parser, json, '}');
    } else if (is_next(parser, '[')) {
        json->kind = ARRAY;
        children(parser, json, ']');
    } else if (word(parser, "null")) {
        json->kind = NUL;
    } else if (word(parser, "true") || word(parser, "false")) {
        json->kind = BOOL;
        json->truth = parser->at[-2] == 'u';
    } else {
        char *end;
        json->kind = NUMBER;
        json->number = strtoull((const char *)parser->at, &end, 10);
        if ((const uint8_t *)end == parser->at) malformed(parser);
        parser->at = (const uint8_t *)end;
    }
    return json;
}

static Json *member(const Json *json, const char *name) {
    for (Json *it = json == NULL ? NULL : json->first; it != NULL; it = it->next) {
        if (it->name.len == strlen(name) && memcmp(it->name.data, name, it->name.len) == 0) return it;
    }
    return NULL;
}

static size_t count(const Json *json) {
    size_t members = 0;
    for (const Json *it = json->first; it != NULL; it = it->next) members++;
    return members;
}

static bool is_text(const Json *json, const char *text) {
    return json != NULL && json->kind == STRING && json->text.len == strlen(text) &&
           memcmp(json->text.data, text, json->text.len) == 0;
}

static char *c_string(const Json *json) {
    if (json == NULL || json->kind != STRING) return "";
    char *text = allocate(json->text.len);
    if (json->text.len > 0) memcpy(text, json->text.data, json->text.len);
    return text;
}

static Bytes from_hex(const Bytes *digits) {
    Bytes bytes = {0};
    if (digits->len % 2 != 0) unusable("an odd number of hexadecimal digits");
    for (size_t at = 0; at < digits->len; at += 2) {
        char pair[3] = {(char)digits->data[at], (char)digits->data[at + 1], 0};
        char *end;
        push_byte(&bytes, (uint8_t)strtoul(pair, &end, 16));
        if (*end != 0) unusable("no hexadecimal digits: %s", pair);
    }
    return bytes;
}

/* ---- Checksums ---- */

static uint32_t crc32(const Bytes *bytes) {
    uint32_t crc = 0xffffffff;
    for (size_t at = 0; at < bytes->len; at++) {
        crc ^= bytes->data[at];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* FIPS 180-4: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t ROUNDS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void sha256_block(uint32_t state[8], const uint8_t *block) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) {
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(v, state, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t e = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t a = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t one = v[7] + e + ((v[4] & v[5]) ^ (~v[4] & v[6])) + ROUNDS[i] + w[i];
        uint32_t two = a + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

/* The digest in hexadecimal, into `digits`. */
static void sha256(const Bytes *bytes, char digits[65]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    Bytes padded = {0};
    push(&padded, bytes->data, bytes->len);
    push_byte(&padded, 0x80);
    while (padded.len % 64 != 56) push_byte(&padded, 0);
    for (int shift = 56; shift >= 0; shift -= 8) {
        push_byte(&padded, (uint8_t)((uint64_t)bytes->len * 8 >> shift));
    }
    for (size_t at = 0; at < padded.len; at += 64) sha256_block(state, padded.data + at);
    free(padded.data);
    for (int i = 0; i < 8; i++) sprintf(digits + 8 * i, "%08x", state[i]);
}

/* ---- Canonical CBOR (RFC 8949, section 4.2.1), strict ---- */

typedef struct {
    Bytes input;
    size_t at;
    bool floats;
    uint64_t max_depth;
} Decoder;

/* Each function answers NULL, or the class by which bytes are refused. */
typedef const char *Refusal;

static uint64_t left(const Decoder *decoder) { return decoder->input.len - decoder->at; }

static uint64_t big_endian(const uint8_t *bytes, size_t len) {
    uint64_t number = 0;
    while (len-- > 0) number = number << 8 | *bytes++;
    return number;
}

static bool is_utf8(const uint8_t *at, uint64_t len) {
    const uint8_t *end = at + len;
    while (at < end) {
        uint8_t first = *at++;
        if (first < 0x80) continue;
        int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        if (first < 0xc2 || first > 0xf4 || end - at < more) return false;
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (*at < low || *at > high) return false;
        for (at++; --more > 0; at++) {
            if (*at < 0x80 || *at > 0xbf) return false;
        }
    }
    return true;
}

/* Whether a binary64 has the same value in a narrower width of `fraction` and `exponent` bits. */
static bool fits(uint64_t bits, int fraction, int exponent) {
    int64_t biased = (int64_t)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & ((1ull << 52) - 1);
    int64_t bias = (1 << (exponent - 1)) - 1, power = biased - 1023;
    if (biased == 0) return mantissa == 0;
    if (biased == 0x7ff) return true;
    if (power > bias) return false;
    /* Below the least normal power, each step costs a bit of the fraction. */
    int64_t lost = 52 - fraction + (power < 1 - bias ? 1 - bias - power : 0);
    return lost <= 52 && (mantissa & ((1ull << lost) - 1)) == 0;
}

/* The binary64 with the value of a float of this width. */
static uint64_t widened(int info, uint64_t argument) {
    union {
        double number;
        uint64_t bits;
    } wide;
    if (info == 27) return argument;
    if (info == 26) {
        union {
            float number;
            uint32_t bits;
        } single = {.bits = (uint32_t)argument};
        wide.number = single.number;
        return wide.bits;
    }
    int exponent = argument >> 10 & 31;
    wide.number = exponent == 0 ? (double)(argument & 1023) : (double)(1024 + (argument & 1023));
    for (int power = exponent == 0 ? 1 : exponent; power < 25; power++) wide.number /= 2;
    for (int power = exponent; power > 25; power--) wide.number *= 2;
    if (exponent == 31) wide.bits = 0x7ffull << 52 | (argument & 1023) << 42;
    return wide.bits | (argument >> 15) << 63;
}

/* The shortest width, as additional information. */
static int shortest(uint64_t bits) { return fits(bits, 10, 5) ? 25 : fits(bits, 23, 8) ? 26 : 27; }

static Refusal decode_simple(const Decoder *decoder, int info, uint64_t argument) {
    if (info == 31) return "break";
    if (info >= 20 && info <= 22) return NULL;
    if (info == 23) return "undefined";
    if (info <= 24) return "simple-value";
    if (!decoder->floats) return "float-forbidden";
    uint64_t bits = widened(info, argument);
    if ((bits >> 52 & 0x7ff) == 0x7ff && bits << 12 != 0) return "not-a-number";
    return info > shortest(bits) ? "non-shortest" : NULL;
}

static Refusal decode_item(Decoder *decoder, uint64_t depth);

static Refusal decode_items(Decoder *decoder, bool is_map, uint64_t items, uint64_t depth) {
    Bytes last = {0};
    for (uint64_t item = 0; item < items; item++) {
        size_t start = decoder->at;
        Refusal refusal = decode_item(decoder, depth);
        if (refusal != NULL) return refusal;
        if (!is_map) continue;
        Bytes key = part(&decoder->input, start, decoder->at - start);
        size_t common = last.len < key.len ? last.len : key.len;
        int order = item == 0 ? -1 : memcmp(last.data, key.data, common);
        if (order == 0 && last.len == key.len) return "duplicate-key";
        if (order > 0 || (order == 0 && last.len > key.len)) return "key-order";
        last = key;
        refusal = decode_item(decoder, depth);
        if (refusal != NULL) return refusal;
    }
    return NULL;
}

static Refusal decode_item(Decoder *decoder, uint64_t depth) {
    static const uint64_t least[] = {24, 1ull << 8, 1ull << 16, 1ull << 32};
    if (left(decoder) == 0) return "truncated";
    uint8_t first = decoder->input.data[decoder->at++];
    int major = first >> 5, info = first & 31;
    if ((info >= 28 && info <= 30) || (info == 31 && (major <= 1 || major == 6))) {
        return "reserved-info";
    }
    uint64_t argument = (uint64_t)info;
    if (info >= 24 && info < 28) {
        size_t len = (size_t)1 << (info - 24);
        if (left(decoder) < len) return "truncated";
        argument = big_endian(decoder->input.data + decoder->at, len);
        decoder->at += len;
    }
    if (major == 7) return decode_simple(decoder, info, argument);
    if (info == 31) return "indefinite-length";
    if (major == 6) return "tag";
    if (info >= 24 && argument < least[info - 24]) return "non-shortest";
    if (major <= 1) return argument >> 63 ? "integer-range" : NULL;
    if (major >= 4) {
        if (depth >= decoder->max_depth) return "too-deep";
        uint64_t room = left(decoder) / (major == 5 ? 2 : 1);
        if (argument > room) return "truncated";
        return decode_items(decoder, major == 5, argument, depth + 1);
    }
    if (argument > left(decoder)) return "truncated";
    decoder->at += argument;
    bool is_text = major == 2 || is_utf8(decoder->input.data + decoder->at - argument, argument);
    return is_text ? NULL : "invalid-utf8";
}

static Refusal decode(const Bytes *input, bool floats, const Json *given) {
    const Json *depth = member(given, "max_depth"), *len = member(given, "max_len");
    Decoder decoder = {*input, 0, floats, depth != NULL ? depth->number : 128};
    if (input->len > (len != NULL ? len->number : 64 << 20)) return "too-large";
    if (input->len == 0) return "empty";
    Refusal refusal = decode_item(&decoder, 0);
    return refusal == NULL && left(&decoder) > 0 ? "trailing-bytes" : refusal;
}

static void encode_number(Bytes *out, uint8_t first, uint64_t argument, int info) {
    push_byte(out, (uint8_t)(first | info));
    for (int shift = 8 << (info - 24); shift > 0; shift -= 8) {
        push_byte(out, (uint8_t)(argument >> (shift - 8)));
    }
}

static void encode_head(Bytes *out, int major, uint64_t argument) {
    uint8_t first = (uint8_t)(major << 5);
    if (argument < 24) {
        push_byte(out, (uint8_t)(first | argument));
    } else {
        encode_number(out, first, argument,
                      argument >> 8 == 0 ? 24 : argument >> 16 == 0 ? 25 : argument >> 32 == 0 ? 26 : 27);
    }
}

/* The bits of a float of a width that holds its value. */
static uint64_t narrowed(uint64_t bits, int info) {
    if (info == 27) return bits;
    int fraction = info == 25 ? 10 : 23, exponent = info == 25 ? 5 : 8;
    uint64_t sign = bits >> 63 << (fraction + exponent), mantissa = bits & ((1ull << 52) - 1);
    int64_t bias = (1 << (exponent - 1)) - 1, biased = (int64_t)(bits >> 52 & 0x7ff);
    int64_t power = biased - 1023 + bias;
    if (biased == 0) return sign;
    if (biased == 0x7ff) return sign | ((1ull << exponent) - 1) << fraction;
    if (power > 0) return sign | (uint64_t)power << fraction | mantissa >> (52 - fraction);
    return sign | (mantissa | 1ull << 52) >> (52 - fraction + 1 - power);
}

static void encode(Bytes *out, const Json *notation);

static void encode_nested(Bytes *out, const Json *content, uint64_t times) {
    const Json *nesting = content->first;
    for (uint64_t time = 0; time < times; time++) {
        push_byte(out, is_text(nesting, "array") ? 0x81 : 0xa1);
        if (is_text(nesting, "value")) push_byte(out, 0);
    }
    encode(out, nesting->next);
    for (uint64_t time = 0; time < times && is_text(nesting, "key"); time++) push_byte(out, 0);
}

/* The notation gives the pairs of a map in canonical order. */
static void encode_items(Bytes *out, const Json *items) {
    for (const Json *item = items->first; item != NULL; item = item->next) encode(out, item);
}

static void encode_content(Bytes *out, const Json *content, uint64_t times) {
    Bytes name = content->name, text = content->text;
    if (name.data[0] == 'i') {
        int64_t number = strtoll(c_string(content), NULL, 10);
        encode_head(out, number < 0, (uint64_t)(number < 0 ? -1 - number : number));
    } else if (name.data[0] == 'f') {
        uint64_t bits = strtoull(c_string(content), NULL, 16);
        encode_number(out, 0xe0, narrowed(bits, shortest(bits)), shortest(bits));
    } else if (name.data[0] == 'b' || name.data[0] == 't') {
        Bytes once = name.data[0] == 'b' ? from_hex(&text) : text;
        encode_head(out, name.data[0] == 'b' ? 2 : 3, once.len * times);
        while (times-- > 0) push(out, once.data, once.len);
    } else if (name.data[0] == 'a') {
        encode_head(out, 4, count(content) * times);
        while (times-- > 0) encode_items(out, content);
    } else if (name.data[0] == 'm') {
        encode_head(out, 5, count(content));
        for (const Json *pair = content->first; pair != NULL; pair = pair->next) encode_items(out, pair);
    } else if (memcmp(name.data, "nested", 6) == 0) {
        encode_nested(out, content, times);
    } else {
        encode_head(out, 5, content->number);
        for (uint64_t key = 0; key < content->number; key++) {
            encode_head(out, 0, key);
            push_byte(out, 0xf6);
        }
    }
}

/* The canonical encoding of what a notation stands for (vectors/README.md). */
static void encode(Bytes *out, const Json *notation) {
    if (notation->kind == NUL) {
        push_byte(out, 0xf6);
    } else if (notation->kind == BOOL) {
        push_byte(out, notation->truth ? 0xf5 : 0xf4);
    } else {
        const Json *times = member(notation, "times"), *content = notation->first;
        if (content == times) content = content->next;
        encode_content(out, content, times == NULL ? 1 : times->number);
    }
}

static const char *read_cbor(const Json *vector, const Bytes *bytes, const char *setting) {
    Refusal refusal = decode(bytes, strcmp(setting, "floats") == 0, member(vector, "given"));
    if (refusal != NULL) return refusal;
    Bytes encoded = {0};
    if (member(vector, "value") == NULL) return "accepted without a value";
    encode(&encoded, member(vector, "value"));
    return equal(&encoded, bytes) ? NULL : "another value";
}

/* ---- Records (docs/format.md, 3 and 4) ---- */

static uint64_t little_endian(const uint8_t *bytes, size_t len) {
    uint64_t number = 0;
    while (len-- > 0) number = number << 8 | bytes[len];
    return number;
}

/* Fields of a record as they are read, compared with those of the value as they come. */
typedef struct {
    Bytes bytes;
    size_t at;
    bool is_short, differs;
} Fields;

static Bytes take(Fields *fields, size_t len) {
    if (fields->bytes.len - fields->at < len) {
        fields->is_short = true;
        return (Bytes){0};
    }
    fields->at += len;
    return part(&fields->bytes, fields->at - len, len);
}

static void due_number(Fields *fields, const Json *value, const char *name, uint64_t number) {
    char digits[24];
    sprintf(digits, "%llu", (unsigned long long)number);
    fields->differs |= !is_text(member(value, name), digits);
}

static uint64_t number(Fields *fields, size_t len, const Json *value, const char *name) {
    Bytes bytes = take(fields, len);
    uint64_t found = bytes.data == NULL ? 0 : little_endian(bytes.data, len);
    if (name != NULL) due_number(fields, value, name, found);
    return found;
}

static void content(Fields *fields, size_t len, const Json *value, const char *name) {
    const Json *digits = member(value, name);
    Bytes found = take(fields, len), due = {0};
    if (digits != NULL && digits->kind == STRING) due = from_hex(&digits->text);
    fields->differs |= digits == NULL || !equal(&found, &due);
}

/* The fields of a log record after its stamp; the answer is their number in the value. */
static size_t wal_body(Fields *fields, int kind, const Json *said) {
    if (kind == 6) {
        number(fields, 8, said, "cut");
        number(fields, 8, said, "reserved");
        return 2;
    }
    number(fields, 8, said, "txid");
    if (kind == 1 || kind == 5) return 1;
    if (kind == 4) {
        number(fields, 8, said, "sequence");
        return 2;
    }
    number(fields, 4, said, "collection");
    content(fields, 16, said, "entity");
    uint64_t has_hash = number(fields, 1, NULL, NULL);
    fields->is_short |= has_hash > 1;
    if (has_hash == 1) content(fields, 32, said, "before");
    if (kind == 2) content(fields, number(fields, 4, NULL, NULL), said, "content");
    return 3 + has_hash + (kind == 2);
}

static const char *read_version_1(Fields *fields, int kind) {
    size_t fixed = kind == 2 || kind == 3 ? 28 : kind == 4 ? 16 : 8;
    take(fields, fixed);
    if (kind == 2 || kind == 3) {
        uint64_t has_hash = number(fields, 1, NULL, NULL);
        fields->is_short |= has_hash > 1;
        take(fields, 32 * (has_hash & 1));
    }
    if (kind == 2) take(fields, number(fields, 4, NULL, NULL));
    return fields->is_short || fields->at != fields->bytes.len ? "invalid" : "version-1";
}

static const char *read_wal_record(const Json *vector, const Bytes *bytes) {
    static const char *names[] = {"begin", "put", "delete", "commit", "abort", "checkpoint"};
    if (bytes->len < 11) return "short";
    uint64_t version = little_endian(bytes->data + 4, 2), len = little_endian(bytes->data + 7, 4);
    int kind = bytes->data[6];
    if (memcmp(bytes->data, "EWAL", 4) != 0 || version < 1 || version > 2) return "invalid";
    if (len > (64 << 20) + 128) return "invalid";
    if (bytes->len < 11 + len + 4) return "short";
    Bytes covered = part(bytes, 0, 11 + len);
    if (crc32(&covered) != little_endian(bytes->data + 11 + len, 4)) return "invalid";
    if (kind < 1 || kind > 6) return "invalid";
    Fields fields = {part(bytes, 11, len), 0, false, false};
    if (version == 1) return read_version_1(&fields, kind);
    const Json *value = member(vector, "value"), *record = member(value, "record");
    const Json *said = member(record, names[kind - 1]);
    due_number(&fields, value, "length", 11 + len + 4);
    number(&fields, 4, value, "generation");
    number(&fields, 8, value, "offset");
    number(&fields, 8, value, "synced_to");
    size_t members = wal_body(&fields, kind, said);
    if (fields.is_short || fields.at != len) return "invalid";
    if (value == NULL || said == NULL || fields.differs) return "other fields";
    return count(value) == 5 && count(record) == 1 && count(said) == members ? NULL : "more fields";
}

static const char *read_segment_record(const Json *vector, const Bytes *bytes) {
    if (bytes->len < 4) return "short";
    uint64_t len = little_endian(bytes->data, 4);
    if (len < 37) return "length";
    if (bytes->len < len) return "short";
    Bytes covered = part(bytes, 0, len - 4);
    if (crc32(&covered) != little_endian(bytes->data + len - 4, 4)) return "crc";
    int flags = bytes->data[24];
    if (flags > 1 || (flags == 1 && len > 37)) return "flags";
    const Json *value = member(vector, "value"), *tombstone = member(value, "tombstone");
    Fields fields = {covered, 4, false, false};
    due_number(&fields, value, "length", len);
    number(&fields, 4, value, "collection");
    content(&fields, 16, value, "entity");
    take(&fields, 1);
    number(&fields, 8, value, "sequence");
    content(&fields, len - 37, value, "payload");
    fields.differs |= tombstone == NULL || tombstone->kind != BOOL || tombstone->truth != (flags == 1);
    return fields.differs || count(value) != 6 ? "other fields" : NULL;
}

static const char *read_hash(const Json *vector, const Bytes *bytes) {
    const Json *value = member(vector, "value");
    char crc[9], digest[65];
    sprintf(crc, "%08x", crc32(bytes));
    sha256(bytes, digest);
    bool is_due = is_text(member(value, "crc32"), crc) && is_text(member(value, "sha256"), digest);
    return is_due && count(value) == 2 ? NULL : "other checksums";
}

/* ---- The directory (vectors/README.md) ---- */

static const char *directory;

static Bytes read_file(const char *name) {
    char path[4096], piece[1 << 16];
    Bytes bytes = {0};
    size_t len;
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) {
        unusable("%s: the path is too long", name);
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) unusable("%s: %s; restore it", name, strerror(errno));
    while ((len = fread(piece, 1, sizeof piece, file)) > 0) push(&bytes, piece, len);
    if (ferror(file)) unusable("%s: %s; restore it", name, strerror(errno));
    fclose(file);
    push_byte(&bytes, 0);
    bytes.len--;
    return bytes;
}

static Json *parse(const char *name, const Bytes *text) {
    Parser parser = {name, text->data, text->data + text->len};
    Json *json = value(&parser);
    if (!is_text(member(json, "format"), "proofhouse-vectors")) {
        unusable("%s: not a file of proofhouse-vectors; restore it", name);
    }
    const Json *version = member(json, "version");
    if (version == NULL || version->kind != NUMBER || version->number < 1) {
        unusable("%s: its version is no integer from 1 on; restore it", name);
    }
    if (version->number > 1) {
        unusable("%s: format version %llu, but 1 is the newest known", name,
                 (unsigned long long)version->number);
    }
    return json;
}

static bool is_one_of(const char *name, const char *const *names) {
    while (*names != NULL && strcmp(name, *names) != 0) names++;
    return *names != NULL;
}

/* A field that this reader does not know may change what the others mean. */
static void know_fields(const char *file, const Json *vector) {
    static const char *const known[] = {"id",         "rule",  "meaning", "source", "value",
                                        "diagnostic", "given", "bytes",   "files",  "expect", NULL};
    for (const Json *it = vector->first; it != NULL; it = it->next) {
        Json name = {.kind = STRING, .text = it->name};
        if (!is_one_of(c_string(&name), known)) {
            unusable("%s: %s: unknown field %s; update this reader", file,
                     c_string(member(vector, "id")), c_string(&name));
        }
    }
}

/* The bytes of a vector, joined from their parts. */
static Bytes joined(const Json *notation, const Json *files) {
    Bytes bytes = {0};
    if (notation == NULL) unusable("a vector without bytes");
    if (notation->kind == STRING) return from_hex(&notation->text);
    for (const Json *it = notation->first; it != NULL; it = it->next) {
        const Json *file = member(it, "file"), *repeat = member(it, "repeat");
        Bytes once = {0};
        uint64_t times = 1;
        if (it->kind == STRING) {
            once = from_hex(&it->text);
        } else if (file != NULL) {
            if (member(files, c_string(file)) == NULL) {
                unusable("%s: not listed in index.json", c_string(file));
            }
            once = read_file(c_string(file));
        } else if (repeat != NULL && member(it, "times") != NULL) {
            once = from_hex(&repeat->text);
            times = member(it, "times")->number;
        } else {
            unusable("bytes in a notation that this reader does not know");
        }
        while (times-- > 0) push(&bytes, once.data, once.len);
    }
    return bytes;
}

static const char *answer(const char *family, const Json *vector, const Bytes *bytes, const char *setting) {
    if (strcmp(family, "cbor") == 0) return read_cbor(vector, bytes, setting);
    if (strcmp(family, "hash") == 0) return read_hash(vector, bytes);
    if (strcmp(family, "wal-record") == 0) return read_wal_record(vector, bytes);
    return read_segment_record(vector, bytes);
}

/* Whether this reader answers as a vector says under every setting. */
static bool agrees(const char *family, const Json *vector, const Json *files) {
    Bytes bytes = joined(member(vector, "bytes"), files);
    bool agreed = true;
    for (const Json *due = member(vector, "expect")->first; due != NULL; due = due->next) {
        char setting[64] = {0};
        if (due->name.len < sizeof setting) memcpy(setting, due->name.data, due->name.len);
        const char *refusal = answer(family, vector, &bytes, setting);
        const char *reject = c_string(member(due, "reject"));
        const char *right = is_text(due, "accept") ? "accept" : reject;
        if (strcmp(refusal == NULL ? "accept" : refusal, right) != 0) {
            fprintf(stderr, "%s %s (%s): due %s, found %s\n", family, c_string(member(vector, "id")),
                    setting, right, refusal == NULL ? "accept" : refusal);
            agreed = false;
        }
    }
    return agreed;
}

static void verify(const Json *files) {
    for (const Json *it = files->first; it != NULL; it = it->next) {
        Json name = {.kind = STRING, .text = it->name};
        Bytes bytes = read_file(c_string(&name));
        char digest[65];
        sha256(&bytes, digest);
        if (!is_text(it, digest)) {
            unusable("%s: its SHA-256 is not the one in index.json; restore it", c_string(&name));
        }
    }
}

static const char *const covered[] = {"cbor", "hash", "wal-record", "segment-record", NULL};
static const char *const other[] = {"golden-entidb", "name",          "manifest", "wal-log", "segment",
                                    "store",         "release-store", "script",   NULL};

/* Every family of `names` has vectors: else none of them would fail. */
static void require(const Json *families, const char *const *names) {
    for (; *names != NULL; names++) {
        const Json *it = families == NULL ? NULL : families->first;
        while (it != NULL && !is_text(member(it, "family"), *names)) it = it->next;
        const Json *listed = member(it, "vectors");
        if (listed == NULL || listed->number == 0) {
            unusable("index.json: no vectors of family %s are listed; restore it", *names);
        }
    }
}

int main(int arguments, char **argument) {
    size_t read = 0, right = 0;
    directory = arguments > 1 ? argument[1] : "vectors";
    Bytes text = read_file("index.json");
    const Json *families = member(parse("index.json", &text), "families");
    for (const Json *it = families == NULL ? NULL : families->first; it != NULL; it = it->next) {
        const char *family = c_string(member(it, "family"));
        if (!is_one_of(family, covered) && !is_one_of(family, other)) {
            unusable("%s: unknown family %s", c_string(member(it, "file")), family);
        }
    }
    require(families, covered);
    require(families, other);
    for (const Json *it = families->first; it != NULL; it = it->next) {
        const char *family = c_string(member(it, "family")), *file = c_string(member(it, "file"));
        const Json *files = member(it, "sha256"), *listed = member(it, "vectors");
        if (files == NULL || listed == NULL) unusable("index.json: an incomplete family; restore it");
        verify(files);
        text = read_file(file);
        const Json *json = parse(file, &text), *vectors = member(json, "vectors");
        if (vectors == NULL || count(vectors) != listed->number) {
            unusable("%s: not what index.json lists; restore it", file);
        }
        if (is_one_of(family, other)) {
            printf("%s: not covered by this reader\n", family);
            continue;
        }
        size_t agreed = 0;
        for (const Json *vector = vectors->first; vector != NULL; vector = vector->next) {
            know_fields(file, vector);
            agreed += agrees(family, vector, files);
        }
        printf("%s: %zu of %zu vectors agree\n", family, agreed, count(vectors));
        read += count(vectors);
        right += agreed;
    }
    printf("c: %zu of %zu vectors agree\n", right, read);
    return right < read || read == 0 ? 10 : 0;
}
