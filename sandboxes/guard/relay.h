/* A captured stream, shared by relay.c (moving bytes) and streams.c (what they belong to). */
#ifndef MICROLOOP_RELAY_H
#define MICROLOOP_RELAY_H

#include "guard.h"
#include "record.h"

struct stream {
    struct stream *next;
    struct watch in, out; /* fd -1: closed */
    enum fd_kind kind;
    uint64_t ino, down; /* of its pipe; of what it writes into, when that is a pipe */
    pid_t pid;
    uint64_t start;
    uint8_t number;
    uint32_t step;
    bool own; /* `out` is a pipe that only we have open in this way: writing to it does not wait */
    bool merged, recording, hold, ended, in_eof;
    uint64_t late;
    uint8_t *pending; /* read, but not taken yet by the reader */
    size_t pending_at, pending_len, pending_room;
    struct record record;
};

extern struct stream *streams;
#define FOR_EACH_STREAM(s) for (struct stream *s = streams; s != NULL; s = s->next)

void stream_close_end(struct watch *w);
size_t stream_write(struct stream *s, const uint8_t *data, size_t len);
void stream_keep(struct stream *s, const uint8_t *data, size_t len);
void stream_flush(struct stream *s);
bool stream_pump(struct stream *s, size_t most);
void stream_interest(struct stream *s);

#endif
