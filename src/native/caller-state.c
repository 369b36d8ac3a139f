#define _GNU_SOURCE
#include "caller-state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the record is little endian"
#endif

#define SIGNALS 64
#define LIMITS 16

/* Collects small writes; the first failure sticks. */
struct writer {
    int fd;
    int number; /* errno of the first failure */
    size_t used;
    uint8_t buffer[4096];
};

static void flush(struct writer *writer)
{
    size_t done = 0;
    while (writer->number == 0 && done < writer->used) {
        ssize_t written = write(writer->fd, writer->buffer + done, writer->used - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR)
            writer->number = errno;
    }
    writer->used = 0;
}

static void put(struct writer *writer, const void *bytes, size_t size)
{
    if (sizeof writer->buffer - writer->used < size)
        flush(writer);
    memcpy(writer->buffer + writer->used, bytes, size);
    writer->used += size;
}

static void put_u32(struct writer *writer, uint32_t value)
{
    put(writer, &value, sizeof value);
}

static void put_u64(struct writer *writer, uint64_t value)
{
    put(writer, &value, sizeof value);
}

/* The kernel's own call: the C library hides the signals that it uses itself, and they too are inherited as ignored. */
static uint64_t ignored_signals(void)
{
    uint64_t ignored = 0;
    for (int number = 1; number <= SIGNALS; number++) {
        unsigned long action[8] = {0}; /* the handler is the first word */
        if (syscall(SYS_rt_sigaction, number, NULL, action, sizeof(uint64_t)) == 0 && action[0] == (unsigned long)SIG_IGN)
            ignored |= UINT64_C(1) << (number - 1);
    }
    return ignored;
}

static uint64_t take_signal_mask(void)
{
    uint64_t none = 0, blocked = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, &blocked, sizeof none);
    return blocked;
}

static uint32_t current_umask(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return mask;
}

static void put_limits(struct writer *writer)
{
    put_u32(writer, LIMITS);
    for (int resource = 0; resource < LIMITS; resource++) {
        struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
        getrlimit(resource, &limit);
        put_u64(writer, limit.rlim_cur);
        put_u64(writer, limit.rlim_max);
    }
}

/* Lists every open descriptor but our own; returns their number, or -1. */
static int64_t put_descriptors(struct writer *writer)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return -1;
    int64_t count = 0;
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(directory)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (*end != '\0' || fd == dirfd(directory) || fd == writer->fd)
            continue;
        put_u32(writer, (uint32_t)fd);
        put_u32(writer, (uint32_t)fcntl((int)fd, F_GETFD));
        put_u32(writer, (uint32_t)fcntl((int)fd, F_GETFL));
        count++;
    }
    int number = errno;
    closedir(directory);
    errno = number;
    return number == 0 ? count : -1;
}

/* A memfd above the standard descriptors, also when the caller closed some of those. */
static int make_memfd(void)
{
    int low = memfd_create("rkt-caller", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    /* KERNEL: MFD_NOEXEC_SEAL needs 6.3; without it the record could be made executable, which nobody does. */
    if (low < 0 && errno == EINVAL)
        low = memfd_create("rkt-caller", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (low < 0 || low > STDERR_FILENO)
        return low;
    int high = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(low);
    return high;
}

static int fail(struct failure *failure, int number, const char *step)
{
    failure->number = number;
    failure->step = step;
    return -1;
}

int record_caller_state(struct failure *failure)
{
    struct writer writer = {.fd = make_memfd()};
    if (writer.fd < 0)
        return fail(failure, errno, "make a memory file");
    put(&writer, "RKTC", 4);
    put_u32(&writer, 1);
    put_u64(&writer, ignored_signals());
    put_u64(&writer, take_signal_mask());
    put_u32(&writer, current_umask());
    put_limits(&writer);
    flush(&writer);
    const off_t count_at = lseek(writer.fd, 0, SEEK_CUR);
    put_u32(&writer, 0);
    const int64_t count = put_descriptors(&writer);
    if (count < 0)
        return fail(failure, errno, "list /proc/self/fd");
    flush(&writer);
    if (writer.number != 0)
        return fail(failure, writer.number, "write the caller's state");
    const uint32_t number = (uint32_t)count;
    if (pwrite(writer.fd, &number, sizeof number, count_at) != (ssize_t)sizeof number || lseek(writer.fd, 0, SEEK_SET) != 0 ||
        fcntl(writer.fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0 || fcntl(writer.fd, F_SETFD, 0) != 0)
        return fail(failure, errno, "seal the caller's state");
    return writer.fd;
}
