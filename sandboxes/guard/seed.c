/* Seeds: files the agent finds in its home, copied there before it starts, so that they are its own to change. */
#define _GNU_SOURCE
#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_ENTRIES 1000
#define MOST_BYTES (64 << 20)
#define MOST_DEPTH 16

struct seeding {
    char path[PATH_CAP]; /* of what is being copied, below the seed's folder */
    size_t entries, bytes;
    int depth;
};

static void seed_folder(struct seeding *s, int from, int to);

static void complain(const struct seeding *s, const char *why)
{
    notice("not put into the agent's home: %.300s: %s", s->path[0] ? s->path : ".", why);
}

/* Returns an errno, 0 when all is copied. */
static int copy_bytes(struct seeding *s, int in, int out)
{
    static char data[65536];
    for (;;) {
        ssize_t n = read(in, data, sizeof data);
        if (n <= 0)
            return n < 0 ? errno : 0;
        s->bytes += (size_t)n;
        if (s->bytes > MOST_BYTES)
            return EFBIG;
        for (ssize_t done = 0, more; done < n; done += more)
            if ((more = write(out, data + done, (size_t)(n - done))) < 0)
                return errno;
    }
}

static void seed_file(struct seeding *s, int from, int to, const char *name, mode_t mode)
{
    int out = -1, error, in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (in >= 0)
        out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600 | (mode & S_IXUSR));
    error = out < 0 ? errno : copy_bytes(s, in, out);
    if (error != 0)
        complain(s, strerror(error));
    if (error != 0 && out >= 0)
        unlinkat(to, name, 0);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
}

static void seed_below(struct seeding *s, int from, int to, const char *name)
{
    const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int source = openat(from, name, how), target = -1;
    if (source >= 0 && (mkdirat(to, name, 0700) == 0 || errno == EEXIST))
        target = openat(to, name, how);
    if (target < 0)
        complain(s, strerror(errno));
    else
        seed_folder(s, source, target);
    if (source >= 0)
        close(source);
    if (target >= 0)
        close(target);
}

static void seed_entry(struct seeding *s, int from, int to, const char *name)
{
    struct stat st;
    size_t len = strlen(s->path);
    snprintf(s->path + len, sizeof s->path - len, "%s%s", len ? "/" : "", name);
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        complain(s, strerror(errno));
    else if (S_ISREG(st.st_mode))
        seed_file(s, from, to, name, st.st_mode);
    else if (S_ISDIR(st.st_mode))
        seed_below(s, from, to, name);
    else
        complain(s, "neither a file nor a folder");
    s->path[len] = '\0';
}

/* Neither fd is closed. */
static void seed_folder(struct seeding *s, int from, int to)
{
    struct dirent *entry;
    int own = s->depth < MOST_DEPTH ? dup(from) : -1;
    DIR *dir = own < 0 ? NULL : fdopendir(own);
    if (dir == NULL) {
        complain(s, s->depth < MOST_DEPTH ? strerror(errno) : "too deep");
        if (own >= 0)
            close(own);
        return;
    }
    s->depth++;
    while ((entry = readdir(dir)) != NULL && s->entries <= MOST_ENTRIES) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++s->entries > MOST_ENTRIES)
            complain(s, "too many files");
        else
            seed_entry(s, from, to, entry->d_name);
    }
    s->depth--;
    closedir(dir);
}

/* Copies what is below `folder` into $HOME. What cannot be copied is a notice. */
void seed_home(const char *folder)
{
    const char *home = getenv("HOME");
    struct seeding s = {0};
    mode_t mask = umask(0);
    int from = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int to = home != NULL ? open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (from >= 0 && to >= 0)
        seed_folder(&s, from, to);
    else
        complain(&s, home == NULL ? "HOME is not set" : strerror(errno));
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    umask(mask);
}
