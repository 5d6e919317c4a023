/* A process in a world that the test makes: the time of day is so far from the real one, and the disk may be full. Loaded before the C library.
   What the test wants is in a file that both have in memory, so it changes under the running process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct world {
    int64_t clock_offset_secs;
    int64_t disk_is_full;
};

static const volatile struct world *world;

__attribute__((constructor)) static void enter(void) {
    const char *path = getenv("WORLD");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) abort();
    void *shared = mmap(0, sizeof *world, PROT_READ, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) abort();
    world = shared;
    close(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = REAL(clock_gettime);
    int failed = real(clock, now);
    if (!failed && world && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += world->clock_offset_secs;
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *place) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}

/* Whether this can't be written: a pipe or a socket can. */
static int is_full(int fd) {
    struct stat file;
    if (!world || !world->disk_is_full || fstat(fd, &file) || !S_ISREG(file.st_mode)) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count) { return is_full(fd) ? -1 : REAL(write)(fd, bytes, count); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return is_full(fd) ? -1 : REAL(pwrite)(fd, bytes, count, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { return is_full(fd) ? -1 : REAL(pwrite64)(fd, bytes, count, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { return is_full(fd) ? -1 : REAL(writev)(fd, parts, count); }
int fallocate(int fd, int mode, off_t from, off_t count) { return is_full(fd) ? -1 : REAL(fallocate)(fd, mode, from, count); }
int posix_fallocate(int fd, off_t from, off_t count) { return is_full(fd) ? ENOSPC : REAL(posix_fallocate)(fd, from, count); }
