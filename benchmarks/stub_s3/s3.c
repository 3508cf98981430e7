// A stub of S3 for benchmarks, the half that knows S3: a request's header -> the answer's bytes. No state but counts.
// What an object is, is said by its key: see benchmarks/stub.py.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "s3.h"

enum { KEY_MAX = 1024, LISTED_MAX = 1000 };

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define NAMESPACE "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define MODIFIED "2026-01-02T03:04:05.000Z"
#define MODIFIED_HTTP "Fri, 02 Jan 2026 03:04:05 GMT"
#define RESTORED "x-amz-restore: ongoing-request=\"false\", expiry-date=\"Fri, 01 Jan 2100 00:00:00 GMT\"\r\n"
#define RESTORING "x-amz-restore: ongoing-request=\"true\"\r\n"

enum kind { ORDINARY, INFREQUENT, ARCHIVED, IS_RESTORING, READY, MISSING, DENIED };

struct object {
    enum kind kind;
    bool too_long;
    char etag[35];  // with its quotes
};

struct fault {
    int status;
    const char *reason, *code, *message;
};

static const struct fault slow_down = {503, "Slow Down", "SlowDown", "Please reduce your request rate."};
static const struct fault no_such_key = {404, "Not Found", "NoSuchKey", "The specified key does not exist."};
static const struct fault denied = {403, "Forbidden", "AccessDenied", "Access Denied"};
static const struct fault too_long = {400, "Bad Request", "KeyTooLongError", "Your key is too long"};
static const struct fault not_archived = {
    403, "Forbidden", "InvalidObjectState", "Restore is not allowed for the object's current storage class"};
static const struct fault archived = {
    403, "Forbidden", "InvalidObjectState", "The operation is not valid for the object's storage class"};
static const struct fault in_progress = {
    409, "Conflict", "RestoreAlreadyInProgress", "Object restore is already in progress"};
static const struct fault precondition = {
    412, "Precondition Failed", "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"};
static const struct fault onto_itself = {
    400, "Bad Request", "InvalidRequest",
    "This copy request is illegal because it is trying to copy an object to itself without changing it."};
static const struct fault no_lock = {404, "Not Found", "ObjectLockConfigurationNotFoundError",
                                     "Object Lock configuration does not exist for this bucket"};
static const struct fault unknown = {
    501, "Not Implemented", "NotImplemented", "The stub has no answer to this request."};

// What the key says of its object; `key` as on the wire, since clients encode differently.
static struct object object_of(struct piece key) {
    static const struct {
        const char *first;
        enum kind kind;
    } kinds[] = {{"ready/", READY},     {"archived/", ARCHIVED}, {"restoring/", IS_RESTORING}, {"ia/", INFREQUENT},
                 {"missing/", MISSING}, {"denied/", DENIED}};
    char plain[KEY_MAX + 1];
    size_t length = decode(key, plain, sizeof plain);
    struct object object = {.kind = ORDINARY, .too_long = length > KEY_MAX};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (starts(plain, length, kinds[i].first)) object.kind = kinds[i].kind;
    if (!memchr(plain, '/', length)) object.kind = MISSING;
    uint64_t one = 14695981039346656037u, two = 1099511628211u;  // FNV-1a, from two beginnings
    for (size_t i = 0; i < length; i++) {
        one = (one ^ (unsigned char)plain[i]) * 1099511628211u;
        two = (two ^ (unsigned char)plain[i]) * 1099511628211u;
    }
    object.etag[0] = object.etag[33] = '"';
    for (int i = 0; i < 16; i++) {
        object.etag[1 + i] = "0123456789abcdef"[one >> (60 - 4 * i) & 15];
        object.etag[17 + i] = "0123456789abcdef"[two >> (60 - 4 * i) & 15];
    }
    return object;
}

static const char *class_of(enum kind kind) {
    if (kind == ORDINARY) return "STANDARD";
    return kind == INFREQUENT ? "STANDARD_IA" : "GLACIER";
}

static const struct fault *unreachable(const struct object *object) {
    if (object->too_long) return &too_long;
    if (object->kind == MISSING) return &no_such_key;
    return object->kind == DENIED ? &denied : NULL;
}

// Answers

static void begin(struct text *out, int status, const char *reason) {
    static time_t told_at;
    static char date[64];
    static unsigned long long id;
    time_t second = time(NULL);
    if (second != told_at) {
        struct tm at;
        gmtime_r(&second, &at);
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &at);
        told_at = second;
    }
    addf(out,
         "HTTP/1.1 %d %s\r\nx-amz-id-2: c3R1YiBvZiBTMywgb2YgdGhlIHVzdWFsIGxlbmd0aC4uLi4uLi4uLi4uLi4=\r\n"
         "x-amz-request-id: %016llX\r\nDate: %s\r\n",
         status, reason, ++id, date);
}

static void finish(struct text *out, const char *type, const char *body, size_t length) {
    addf(out, "Content-Type: %s\r\nContent-Length: %zu\r\nServer: AmazonS3\r\n\r\n", type, length);
    add(out, body, length);
}

static void refuse(const struct request *request, const struct fault *fault, struct text *out) {
    if (fault == &slow_down) counts.refused++;
    else counts.errors++;
    begin(out, fault->status, fault->reason);
    if (is(request->method, "HEAD")) {
        addf(out, "Content-Type: application/xml\r\nServer: AmazonS3\r\n\r\n");
        return;
    }
    char body[1024];
    int length = snprintf(body, sizeof body, XML "<Error><Code>%s</Code><Message>%s</Message></Error>", fault->code,
                          fault->message);
    finish(out, "application/xml", body, (size_t)length);
}

static void describe(const struct object *object, struct text *out) {
    addf(out, "Last-Modified: " MODIFIED_HTTP "\r\nETag: %s\r\nx-amz-server-side-encryption: AES256\r\n", object->etag);
    if (object->kind != ORDINARY) addf(out, "x-amz-storage-class: %s\r\n", class_of(object->kind));
    if (object->kind == READY) addf(out, RESTORED);
    if (object->kind == IS_RESTORING) addf(out, RESTORING);
}

static void head(const struct request *request, struct text *out) {
    struct object object = object_of(request->key);
    const struct fault *fault = unreachable(&object);
    if (!fault && request->if_match.length && !is(request->if_match, object.etag)) fault = &precondition;
    counts.head++;
    if (fault) return refuse(request, fault, out);
    begin(out, 200, "OK");
    describe(&object, out);
    addf(out,
         "Accept-Ranges: bytes\r\nContent-Type: application/octet-stream\r\nContent-Length: %ld\r\n"
         "Server: AmazonS3\r\n\r\n",
         settings.size);
}

static void copy(const struct request *request, struct text *out) {
    struct piece source = request->copy_source;
    if (source.length && *source.at == '/') source.at++, source.length--;
    struct piece key = source;
    key = cut(&key, '?');
    cut(&key, '/');
    struct object from = object_of(key), to = object_of(request->key);
    const struct fault *fault = unreachable(&from);
    if (!fault && (from.kind == ARCHIVED || from.kind == IS_RESTORING)) fault = &archived;
    if (!fault && request->copy_if_match.length && !is(request->copy_if_match, from.etag)) fault = &precondition;
    if (!fault && request->if_match.length && !is(request->if_match, to.etag)) fault = &precondition;
    if (!fault && request->if_none_match.length) fault = &precondition;
    if (!fault && !memcmp(from.etag, to.etag, sizeof from.etag) &&
        (request->storage_class.length ? is(request->storage_class, class_of(from.kind)) : from.kind == ORDINARY))
        fault = &onto_itself;
    counts.copy++;
    if (fault) return refuse(request, fault, out);
    char body[512];
    int length = snprintf(body, sizeof body,
                          XML "<CopyObjectResult " NAMESPACE "><LastModified>" MODIFIED
                              "</LastModified><ETag>&quot;%.32s&quot;</ETag></CopyObjectResult>",
                          from.etag + 1);
    begin(out, 200, "OK");
    addf(out, "x-amz-server-side-encryption: AES256\r\n");
    finish(out, "application/xml", body, (size_t)length);
}

static void restore(const struct request *request, struct text *out) {
    struct object object = object_of(request->key);
    const struct fault *fault = unreachable(&object);
    if (!fault && (object.kind == ORDINARY || object.kind == INFREQUENT)) fault = &not_archived;
    if (!fault && object.kind == IS_RESTORING) fault = &in_progress;
    counts.restore++;
    if (fault) return refuse(request, fault, out);
    if (object.kind == READY) begin(out, 200, "OK");
    else begin(out, 202, "Accepted");
    addf(out, "Content-Length: 0\r\nServer: AmazonS3\r\n\r\n");
}

static void get(const struct request *request, struct text *out) {
    struct object object = object_of(request->key);
    const struct fault *fault = unreachable(&object);
    if (!fault && (object.kind == ARCHIVED || object.kind == IS_RESTORING)) fault = &archived;
    counts.get++;
    if (fault) return refuse(request, fault, out);
    long first = 0, last = settings.size - 1;
    char range[64];
    snprintf(range, sizeof range, "%.*s", (int)request->range.length, request->range.length ? request->range.at : "");
    bool part = sscanf(range, "bytes=%ld-%ld", &first, &last) > 0;
    if (last > settings.size - 1) last = settings.size - 1;
    begin(out, part ? 206 : 200, part ? "Partial Content" : "OK");
    describe(&object, out);
    if (part) addf(out, "Content-Range: bytes %ld-%ld/%ld\r\n", first, last, settings.size);
    long length = last >= first ? last - first + 1 : 0;
    addf(out, "Content-Type: application/octet-stream\r\nContent-Length: %ld\r\nServer: AmazonS3\r\n\r\n", length);
    make_room(out, (size_t)length);
    memset(out->at + out->length, 'x', (size_t)length);
    out->length += (size_t)length;
}

// `settings.objects` keys of the kind that the prefix names, numbered; the token is the number to go on with.
static void list(const struct request *request, struct text *out) {
    struct piece value = {"", 0};
    char kind[KEY_MAX + 1];
    parameter(request, "prefix", &value);
    size_t length = decode(value, kind, KEY_MAX);
    if (length && kind[length - 1] == '/') length--;
    if (!length) length = sizeof "ready" - 1, memcpy(kind, "ready", length);
    kind[length] = 0;
    long from = (long)number(request, "continuation-token", 0);
    long most = (long)number(request, "max-keys", LISTED_MAX);
    if (most > LISTED_MAX) most = LISTED_MAX;
    long until = from + most < settings.objects ? from + most : settings.objects;
    bool more = until < settings.objects;
    counts.list++;
    struct text body = {0};
    addf(&body, XML "<ListBucketResult " NAMESPACE "><Name>%.*s</Name><Prefix>%s/</Prefix><KeyCount>%ld</KeyCount>",
         (int)(request->bucket.length < 63 ? request->bucket.length : 63), request->bucket.at, kind,
         until > from ? until - from : 0);
    addf(&body, "<MaxKeys>%ld</MaxKeys><IsTruncated>%s</IsTruncated>", most, more ? "true" : "false");
    if (more) addf(&body, "<NextContinuationToken>%ld</NextContinuationToken>", until);
    for (long i = from; i < until; i++) {
        char key[KEY_MAX + 32];
        int key_length = snprintf(key, sizeof key, "%s/%010ld", kind, i);
        struct object object = object_of((struct piece){key, (size_t)key_length});
        addf(&body,
             "<Contents><Key>%s</Key><LastModified>" MODIFIED
             "</LastModified><ETag>&quot;%.32s&quot;</ETag><Size>%ld</Size><StorageClass>%s</StorageClass></Contents>",
             key, object.etag + 1, settings.size, class_of(object.kind));
    }
    addf(&body, "</ListBucketResult>");
    begin(out, 200, "OK");
    finish(out, "application/xml", body.at, body.length);
    free(body.at);
}

static void bucket(const struct request *request, struct text *out) {
    static const char enforced[] =
        XML "<OwnershipControls " NAMESPACE
            "><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";
    static const char location[] = XML "<LocationConstraint " NAMESPACE ">eu-west-1</LocationConstraint>";
    static const char versioning[] = XML "<VersioningConfiguration " NAMESPACE "/>";
    if (parameter(request, "list-type", NULL)) return list(request, out);
    counts.other++;
    if (parameter(request, "object-lock", NULL)) return refuse(request, &no_lock, out);
    if (is(request->method, "HEAD")) {
        begin(out, 200, "OK");
        return finish(out, "application/xml", "", 0);
    }
    const char *body = parameter(request, "ownershipControls", NULL) ? enforced
                       : parameter(request, "location", NULL)        ? location
                       : parameter(request, "versioning", NULL)      ? versioning
                                                                     : NULL;
    if (!body) return refuse(request, &unknown, out);
    begin(out, 200, "OK");
    finish(out, "application/xml", body, strlen(body));
}

void answer(const struct request *request, bool throttled, struct text *out) {
    if (throttled) return refuse(request, &slow_down, out);
    bool reads = is(request->method, "GET");
    // Go's SDK names the operation in the query. Anything else there asks for what the stub hasn't: versions, tags, ...
    bool plain = !request->query.length || starts(request->query.at, request->query.length, "x-id=");
    if (request->chunked) refuse(request, &unknown, out);
    else if (!request->key.length && (reads || is(request->method, "HEAD"))) bucket(request, out);
    else if (is(request->method, "HEAD") && plain) head(request, out);
    else if (is(request->method, "PUT") && request->copy_source.length && plain) copy(request, out);
    else if (is(request->method, "POST") && parameter(request, "restore", NULL)) restore(request, out);
    else if (reads && plain) get(request, out);
    else counts.other++, refuse(request, &unknown, out);
}

bool control(const struct request *request, struct text *out) {
    if (!is(request->bucket, "-")) return false;
    if (is(request->key, "set")) {
        settings.delay_ms = number(request, "delay_ms", settings.delay_ms);
        settings.rate = number(request, "rate", settings.rate);
        settings.objects = (long)number(request, "objects", (double)settings.objects);
        settings.size = (long)number(request, "size", (double)settings.size);
        reset_counts();
    }
    char body[1024];
    int length = snprintf(
        body, sizeof body,
        "{\"requests\": %ld, \"head\": %ld, \"copy\": %ld, \"restore\": %ld, \"list\": %ld, \"get\": %ld, "
        "\"other\": %ld, \"refused\": %ld, \"errors\": %ld, \"connections\": %ld, \"in_flight_max\": %ld, "
        "\"first_s\": %.6f, \"last_s\": %.6f, \"cpu_s\": %.6f}\n",
        counts.requests, counts.head, counts.copy, counts.restore, counts.list, counts.get, counts.other,
        counts.refused, counts.errors, counts.connections, counts.in_flight_max, counts.first_s, counts.last_s,
        stub_cpu_s());
    begin(out, 200, "OK");
    finish(out, "application/json", body, (size_t)length);
    return true;
}
