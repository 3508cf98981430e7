// What the stub's files agree on: server.c keeps connections and time, http.c reads requests, s3.c knows S3.
#ifndef S3_H
#define S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What the control path can set; see benchmarks/stub.py for their meaning.
struct settings {
    double delay_ms;  // from a request's last byte to its answer's first
    double rate;      // requests a second, 0: no limit
    long objects;     // in each listing
    long size;        // bytes of every object
};

// Since the last reset; times are CLOCK_MONOTONIC's seconds, so that a Python on this machine can compare them.
struct counts {
    long requests, head, copy, restore, list, get, other;
    long refused;  // 503 SlowDown
    long errors;   // 4xx and 501
    long connections;
    long in_flight_max;
    double first_s, last_s;
};

extern struct settings settings;
extern struct counts counts;

// One request, as far as the stub looks at it. The pieces point into the connection's buffer.
struct piece {
    const char *at;
    size_t length;
};

struct request {
    struct piece method, bucket, key, query;  // as on the wire: not decoded
    struct piece copy_source, copy_if_match, if_match, if_none_match, storage_class, range;
    long content_length;
    bool close;    // the client asked for it
    bool chunked;  // a body whose length isn't told
};

// Bytes that grow: an answer.
struct text {
    char *at;
    size_t length, room;
};

// In http.c.

void make_room(struct text *text, size_t more);
void add(struct text *text, const char *bytes, size_t length);
void addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Reads a whole header, from its first byte to the empty line's end. False: not HTTP.
bool read_request(const char *at, size_t length, struct request *request);

bool is(struct piece piece, const char *word);
bool starts(const char *at, size_t length, const char *word);

// Up to the next `at`, or all there is; `rest` goes on behind it.
struct piece cut(struct piece *rest, char at);

// Undoes URL encoding; the length, or `room` when it doesn't fit.
size_t decode(struct piece from, char *to, size_t room);

// Whether the query has this parameter, and its value.
bool parameter(const struct request *request, const char *name, struct piece *value);
double number(const struct request *request, const char *name, double otherwise);

// In s3.c.

// Writes S3's answer; `throttled`: 503 SlowDown, whatever was asked.
void answer(const struct request *request, bool throttled, struct text *out);

// Writes the answer to a request of the control path; true when the request is one.
bool control(const struct request *request, struct text *out);

// In server.c: counts from now on.
void reset_counts(void);
double stub_cpu_s(void);

#endif
