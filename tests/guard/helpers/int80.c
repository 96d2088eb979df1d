/* execve by the 32-bit gate of a 64-bit program: int80 /path/of/program argument. Its memory must lie below 4 GiB. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
    char *low = mmap((void *)0x100000, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    long result;
    if (argc != 3 || low == MAP_FAILED)
        return 99;
    uint32_t *vector = (uint32_t *)low;
    strcpy(low + 256, argv[1]);
    strcpy(low + 4096, argv[2]);
    vector[0] = (uint32_t)(uintptr_t)(low + 256);
    vector[1] = (uint32_t)(uintptr_t)(low + 4096);
    vector[2] = 0;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(11L), "b"(low + 256), "c"(low), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
    printf("int80 execve returned %ld\n", result);
    return 98;
}
