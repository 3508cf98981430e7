// A stub of S3 for benchmarks: bytes in and out. Reads a request's header, and holds an answer while it is written.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "s3.h"

void make_room(struct text *text, size_t more) {
    if (text->length + more <= text->room) return;
    text->room = 2 * (text->length + more);
    text->at = realloc(text->at, text->room);
    if (!text->at) abort();
}

void add(struct text *text, const char *bytes, size_t length) {
    make_room(text, length);
    memcpy(text->at + text->length, bytes, length);
    text->length += length;
}

void addf(struct text *text, const char *format, ...) {
    va_list values;
    make_room(text, 2048);
    va_start(values, format);
    int length = vsnprintf(text->at + text->length, text->room - text->length, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= text->room - text->length) abort();  // no line of ours is that long
    text->length += (size_t)length;
}

bool is(struct piece piece, const char *word) {
    return piece.length == strlen(word) && !memcmp(piece.at, word, piece.length);
}

bool starts(const char *at, size_t length, const char *word) {
    return length >= strlen(word) && !memcmp(at, word, strlen(word));
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t decode(struct piece from, char *to, size_t room) {
    size_t length = 0;
    for (size_t i = 0; i < from.length && length < room; i++) {
        bool coded = from.at[i] == '%' && i + 2 < from.length && hex_value(from.at[i + 1]) >= 0 &&
                     hex_value(from.at[i + 2]) >= 0;
        to[length++] =
            coded ? (char)(hex_value(from.at[i + 1]) * 16 + hex_value(from.at[i + 2])) : from.at[i];
        if (coded) i += 2;
    }
    return length;
}

struct piece cut(struct piece *rest, char at) {
    char *found = memchr(rest->at, at, rest->length);
    struct piece first = {rest->at, found ? (size_t)(found - rest->at) : rest->length};
    size_t passed = found ? first.length + 1 : first.length;
    rest->at += passed;
    rest->length -= passed;
    return first;
}

static void read_header_line(struct piece line, struct request *request) {
    struct piece value = line, name = cut(&value, ':');
    while (value.length && (*value.at == ' ' || *value.at == '\t')) value.at++, value.length--;
#define NAMED(word) (name.length == sizeof(word) - 1 && !strncasecmp(name.at, word, sizeof(word) - 1))
    if (NAMED("content-length")) request->content_length = atol(value.at);
    else if (NAMED("x-amz-copy-source")) request->copy_source = value;
    else if (NAMED("x-amz-copy-source-if-match")) request->copy_if_match = value;
    else if (NAMED("x-amz-storage-class")) request->storage_class = value;
    else if (NAMED("if-match")) request->if_match = value;
    else if (NAMED("if-none-match")) request->if_none_match = value;
    else if (NAMED("range")) request->range = value;
    else if (NAMED("transfer-encoding")) request->chunked = true;
    else if (NAMED("connection")) request->close = value.length == 5 && !strncasecmp(value.at, "close", 5);
#undef NAMED
}

bool read_request(const char *at, size_t length, struct request *request) {
    struct piece rest = {at, length};
    struct piece line = cut(&rest, '\n');
    request->method = cut(&line, ' ');
    struct piece query = cut(&line, ' ');
    if (!starts(line.at, line.length, "HTTP/1.") || !starts(query.at, query.length, "/")) return false;
    struct piece path = cut(&query, '?');
    request->query = query;
    cut(&path, '/');
    request->bucket = cut(&path, '/');
    request->key = path;
    while (rest.length > 2) {
        line = cut(&rest, '\n');
        if (line.length && line.at[line.length - 1] == '\r') line.length--;
        read_header_line(line, request);
    }
    return request->content_length >= 0;
}

bool parameter(const struct request *request, const char *name, struct piece *value) {
    struct piece rest = request->query;
    while (rest.length) {
        struct piece one = cut(&rest, '&');
        struct piece found = cut(&one, '=');
        if (!is(found, name)) continue;
        if (value) *value = one;
        return true;
    }
    return false;
}

double number(const struct request *request, const char *name, double otherwise) {
    struct piece value;
    return parameter(request, name, &value) && value.length ? atof(value.at) : otherwise;
}
