/* asker RESULTS PORT WAIT_MS
 * An agent that asks a model WAIT_MS milliseconds after its start, by 127.0.0.1:PORT with the key of OPENAI_API_KEY.
 * RESULTS gets the milliseconds from its asking to the first event of the answer. Exit code 1: no such answer. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int asked(int port) {
    static const char body[] = "{\"model\":\"gpt-4o\",\"stream\":true,"
                               "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    const char *key = getenv("OPENAI_API_KEY");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    if (stream < 0 || connect(stream, (struct sockaddr *)&to, sizeof to) != 0)
        return -1;
    dprintf(stream,
            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
            key ? key : "", sizeof body - 1, body);
    return stream;
}

static int first_event(int stream) {
    static char answer[65536];
    size_t got = 0;
    while (got + 1 < sizeof answer) {
        ssize_t size = read(stream, answer + got, sizeof answer - 1 - got);
        if (size <= 0)
            return 1;
        got += (size_t)size;
        answer[got] = 0;
        if (strstr(answer, "data: "))
            return strstr(answer, " 200 ") == NULL;
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    usleep((useconds_t)atoi(argv[3]) * 1000);
    double before = milliseconds();
    int stream = asked(atoi(argv[2]));
    if (stream < 0 || first_event(stream) != 0)
        return 1;
    double took = milliseconds() - before;
    FILE *results = fopen(argv[1], "w");
    if (!results)
        return 2;
    fprintf(results, "%.3f\n", took);
    return fclose(results) != 0;
}
