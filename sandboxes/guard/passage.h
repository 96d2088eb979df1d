/* One connection through a door, shared by door.c (letting in) and passage.c (moving bytes). Only the doors' thread
   uses any of it. */
#ifndef MICROLOOP_PASSAGE_H
#define MICROLOOP_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct passage;

/* A socket in the doors' epoll set: an end of a passage, or a listening one (passage NULL). */
struct end {
    int fd;
    uint32_t events; /* as the kernel has them; 0: not in the set, where a hang-up would be told again and again */
    struct passage *passage;
};

extern int doors_set; /* the epoll set */

bool end_want(struct end *e, uint32_t events);
void passage_start(int inside, int outside);
void passage_ready(struct end *e, uint32_t events);
void passages_sweep(void);
size_t passages_open(void);

#endif
