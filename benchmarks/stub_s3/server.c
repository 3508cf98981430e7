// A stub of S3 for benchmarks, the half that moves bytes: one thread, epoll, keep-alive, a heap of due answers.
// benchmarks/stub.py compiles and starts it, and says what it answers.
//
//   stub [--port N] [--until-eof]     prints its port; --until-eof: ends when standard input does
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "s3.h"

enum { HEADER_MAX = 32 * 1024, EVENTS = 256 };

struct connection {
    int fd;
    unsigned life;    // tells a due answer whose connection has gone from one of a later connection
    bool waiting;     // an answer is due later, or partly written: the next request has to wait
    bool due;         // that answer's time has come
    bool closing;     // after that answer
    bool control;     // that answer isn't S3's
    bool counted;
    long body_left;   // bytes of the request's body, which nobody looks at
    size_t in_length;
    size_t out_sent;
    struct text out;
    char in[HEADER_MAX];
};

struct due {
    double at;
    struct connection *connection;
    unsigned life;
};

struct settings settings = {.size = 1 << 20};
struct counts counts;

static int poller;
static bool tells_first;
static double now;
static double tokens;
static double refilled_at;
static long in_flight;
static double cpu_at_reset;
static struct connection **connections;
static size_t connections_room;
static struct due *heap;
static size_t heap_length, heap_room;

static double clock_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double cpu_s(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double stub_cpu_s(void) { return cpu_s() - cpu_at_reset; }

void reset_counts(void) {
    memset(&counts, 0, sizeof counts);
    counts.in_flight_max = in_flight;
    cpu_at_reset = cpu_s();
    tokens = 0;
    refilled_at = now;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *grown(void *at, size_t bytes) {
    void *found = realloc(at, bytes);
    if (!found) fail("realloc");
    return found;
}

// The heap: the answer that is due first is at its top.

static void push_due(struct due one) {
    if (heap_length == heap_room) heap = grown(heap, (heap_room = heap_room ? 2 * heap_room : 1024) * sizeof *heap);
    size_t here = heap_length++;
    while (here && heap[(here - 1) / 2].at > one.at) {
        heap[here] = heap[(here - 1) / 2];
        here = (here - 1) / 2;
    }
    heap[here] = one;
}

static struct due pop_due(void) {
    struct due top = heap[0], last = heap[--heap_length];
    size_t here = 0, below;
    while ((below = 2 * here + 1) < heap_length) {
        if (below + 1 < heap_length && heap[below + 1].at < heap[below].at) below++;
        if (heap[below].at >= last.at) break;
        heap[here] = heap[below];
        here = below;
    }
    heap[here] = last;
    return top;
}

// S3 lets short bursts pass; here a tenth of a second's worth.
static bool throttled(void) {
    if (settings.rate <= 0) return false;
    double most = settings.rate / 10 > 1 ? settings.rate / 10 : 1;
    tokens += (now - refilled_at) * settings.rate;
    refilled_at = now;
    if (tokens > most) tokens = most;
    if (tokens < 1) return true;
    tokens -= 1;
    return false;
}

static void drop(struct connection *one) {
    if (one->waiting && !one->control) in_flight--;
    close(one->fd);
    one->fd = -1;
    one->life++;
    one->waiting = one->due = one->closing = one->control = one->counted = false;
    one->body_left = 0;
    one->in_length = one->out_sent = one->out.length = 0;
}

// Writes what it can of the answer; false when the connection is gone.
static bool flush(struct connection *one) {
    while (one->out_sent < one->out.length) {
        ssize_t sent = send(one->fd, one->out.at + one->out_sent, one->out.length - one->out_sent, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) return true;
            drop(one);
            return false;
        }
        one->out_sent += (size_t)sent;
    }
    if (!one->control) {
        in_flight--;
        counts.last_s = now;
    }
    bool closing = one->closing;
    one->waiting = one->due = one->control = false;
    one->out_sent = one->out.length = 0;
    if (closing) drop(one);
    return !closing;
}

// The request is complete: its answer goes out now or when it is due. False when the connection is gone.
static bool send_or_delay(struct connection *one) {
    if (settings.delay_ms <= 0 || one->control) {
        one->due = true;
        return flush(one);
    }
    push_due((struct due){.at = now + settings.delay_ms / 1000, .connection = one, .life = one->life});
    return true;
}

// A line on standard output for the first request after each reset: who waits for it knows at once that it came.
static void tell_first(void) {
    counts.first_s = now;
    if (tells_first && write(STDOUT_FILENO, "\n", 1) < 0) tells_first = false;
}

// Looks for a whole header, and makes its answer. False when there is none yet.
static bool take_header(struct connection *one) {
    char *end = memmem(one->in, one->in_length, "\r\n\r\n", 4);
    if (!end && one->in_length < HEADER_MAX) return false;
    struct request request = {0};
    size_t length = end ? (size_t)(end - one->in) + 4 : one->in_length;
    one->waiting = true;
    if (!end || !read_request(one->in, length, &request)) {
        static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        add(&one->out, bad, sizeof bad - 1);
        one->control = one->closing = true;
    } else if (control(&request, &one->out)) {
        one->control = true;
    } else {
        if (!one->counted) counts.connections++;
        one->counted = true;
        if (!counts.requests++) tell_first();
        if (++in_flight > counts.in_flight_max) counts.in_flight_max = in_flight;
        answer(&request, throttled(), &one->out);
    }
    one->closing = one->closing || request.close || request.chunked;
    one->body_left = request.content_length;
    one->in_length -= length;
    memmove(one->in, one->in + length, one->in_length);
    return true;
}

// Works off what has been read: one request at a time, so that answers stay in order. False when it is gone.
static bool work_off(struct connection *one) {
    while (one->in_length) {
        if (!one->waiting) {
            if (!take_header(one)) return true;
            if (!one->body_left && !send_or_delay(one)) return false;
        } else if (one->body_left) {
            size_t taken = one->in_length < (size_t)one->body_left ? one->in_length : (size_t)one->body_left;
            one->in_length -= taken;
            one->body_left -= (long)taken;
            memmove(one->in, one->in + taken, one->in_length);
            if (!one->body_left && !send_or_delay(one)) return false;
        } else {
            return true;
        }
    }
    return true;
}

// Edge-triggered: reads until nothing is left, or until there is no room before the answer is out.
// `ended`: the client will send no more, so that there is an end to be read, of which nobody will tell again.
static void read_and_work(struct connection *one, bool ended) {
    if (!work_off(one)) return;
    for (;;) {
        size_t room = HEADER_MAX - one->in_length;
        if (!room) return;
        ssize_t got = recv(one->fd, one->in + one->in_length, room, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) return drop(one);
        if (got < 0) return;
        one->in_length += (size_t)got;
        if (!work_off(one) || (!ended && (size_t)got < room)) return;
    }
}

static void accept_all(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        while ((size_t)fd >= connections_room) {
            size_t before = connections_room;
            connections_room = before ? 2 * before : 1024;
            connections = grown(connections, connections_room * sizeof *connections);
            memset(connections + before, 0, (connections_room - before) * sizeof *connections);
        }
        if (!connections[fd] && !(connections[fd] = calloc(1, sizeof **connections))) fail("calloc");
        connections[fd]->fd = fd;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
    }
}

static void send_due(void) {
    while (heap_length && heap[0].at <= now) {
        struct due top = pop_due();
        if (top.connection->life != top.life) continue;
        top.connection->due = true;
        // The client didn't wait for the answer with its next request.
        if (flush(top.connection) && top.connection->in_length) read_and_work(top.connection, false);
    }
}

static int wait_for_events(struct epoll_event *events) {
    double left = heap_length ? heap[0].at - clock_s() : -1;
    if (heap_length && left < 0) left = 0;
    static bool no_pwait2;
#ifdef SYS_epoll_pwait2
    if (!no_pwait2) {
        struct timespec timeout = {.tv_sec = (time_t)left, .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};
        long found = syscall(SYS_epoll_pwait2, poller, events, EVENTS, heap_length ? &timeout : NULL, NULL, 0);
        if (found >= 0 || errno != ENOSYS) return (int)found;
        no_pwait2 = true;
    }
#endif
    // Before Linux 5.11: whole milliseconds, rounded up.
    return epoll_wait(poller, events, EVENTS, heap_length ? (int)(left * 1000) + 1 : -1);
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&at, &length)) fail("getsockname");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return listener;
}

static bool standard_input_ended(void) {
    char ignored[256];
    return read(STDIN_FILENO, ignored, sizeof ignored) <= 0;
}

int main(int count, char **arguments) {
    int port = 0;
    bool until_eof = false;
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--until-eof")) until_eof = true;
        if (!strcmp(arguments[i], "--port") && i + 1 < count) port = atoi(arguments[++i]);
    }
    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(EPOLL_CLOEXEC);
    now = clock_s();
    reset_counts();
    int listener = listen_on(port);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) fail("epoll_ctl");
    event = (struct epoll_event){.events = EPOLLIN, .data.fd = STDIN_FILENO};
    // Nobody has to read what is told: it mustn't block.
    tells_first = until_eof && !fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    if (until_eof && epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event)) fail("epoll_ctl of standard input");
    for (;;) {
        struct epoll_event events[EVENTS];
        int found = wait_for_events(events);
        if (found < 0 && errno != EINTR) fail("epoll_wait");
        now = clock_s();
        send_due();
        for (int i = 0; i < found; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
            } else if (fd == STDIN_FILENO) {
                if (standard_input_ended()) return 0;
            } else if (connections[fd]->fd == fd) {
                struct connection *one = connections[fd];
                if ((events[i].events & EPOLLOUT) && one->due && !flush(one)) continue;
                read_and_work(one, events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
            }
        }
    }
}
