/* Makes every flush to disk take FLUSH_DELAY_MS longer, as on a slower disk.
 *
 *   cc -O2 -shared -fPIC -o slow-flush.so slow-flush.c -ldl
 *   FLUSH_DELAY_MS=5 LD_PRELOAD=./slow-flush.so i9chat-server
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_a_little(void) {
    static long delay = -1;
    if (delay < 0) {
        const char *text = getenv("FLUSH_DELAY_MS");
        delay = text ? atol(text) : 0;
    }
    struct timespec pause = {delay / 1000, delay % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int result = real(file);
    wait_a_little();
    return result;
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int result = real(file);
    wait_a_little();
    return result;
}
