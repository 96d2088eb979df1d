/* The same without the instructions of one processor. */
#define COARSE_PORTABLE
#include "coarse.c"
