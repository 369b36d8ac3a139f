#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Writable private memory: decompressors may take up to a 64 MiB dictionary, two million members need about 90 MiB. */
enum { DATA_BYTES = 144 * 1024 * 1024, OPEN_FILES = 400 };

/* AddressSanitizer reserves terabytes and makes system calls of its own: its build tests everything but these two. */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

struct rule {
	int call;
	enum sandbox_kind until; /* the least powerful sandbox that still needs it */
};

/* Everything else kills the process. */
static const struct rule rules[] = {
	{ SCMP_SYS(pread64), SANDBOX_NOTHING },          /* the image */
	{ SCMP_SYS(write), SANDBOX_NOTHING },            /* result, message, content of files */
	{ SCMP_SYS(futex), SANDBOX_NOTHING },            /* the ring between the two threads */
	{ SCMP_SYS(brk), SANDBOX_NOTHING },              /* malloc */
	{ SCMP_SYS(munmap), SANDBOX_NOTHING },           /* malloc */
	{ SCMP_SYS(mremap), SANDBOX_NOTHING },           /* realloc of large blocks */
	{ SCMP_SYS(madvise), SANDBOX_NOTHING },          /* malloc gives memory back */
	{ SCMP_SYS(restart_syscall), SANDBOX_NOTHING },  /* after SIGSTOP and SIGCONT */
	{ SCMP_SYS(exit_group), SANDBOX_NOTHING },       /* the end */
	{ SCMP_SYS(close), SANDBOX_READ },               /* files and directories */
	{ SCMP_SYS(openat), SANDBOX_READ },              /* files of the tree */
	{ SCMP_SYS(read), SANDBOX_READ },                /* content of files when a tree is verified */
	{ SCMP_SYS(newfstatat), SANDBOX_READ },          /* the listing; fstat of glibc */
	{ SCMP_SYS(fstat), SANDBOX_READ },               /* newer glibc */
	{ SCMP_SYS(getdents64), SANDBOX_READ },          /* the listing; is the destination empty */
	{ SCMP_SYS(fchdir), SANDBOX_READ },              /* the listing: extended attributes have no *at calls */
	{ SCMP_SYS(readlinkat), SANDBOX_READ },          /* the listing */
	{ SCMP_SYS(llistxattr), SANDBOX_READ },          /* the listing */
	{ SCMP_SYS(lgetxattr), SANDBOX_READ },           /* the listing */
	{ SCMP_SYS(sysinfo), SANDBOX_READ },             /* qsort of glibc asks how much memory there is */
	{ SCMP_SYS(openat2), SANDBOX_WRITE },            /* directories, never through a symbolic link */
	{ SCMP_SYS(mkdirat), SANDBOX_WRITE },            /* directories */
	{ SCMP_SYS(unlinkat), SANDBOX_WRITE },           /* a later member replaces an earlier one */
	{ SCMP_SYS(linkat), SANDBOX_WRITE },             /* hard links */
	{ SCMP_SYS(symlinkat), SANDBOX_WRITE },          /* symbolic links */
	{ SCMP_SYS(fchown), SANDBOX_WRITE },             /* owner of files and directories */
	{ SCMP_SYS(fchownat), SANDBOX_WRITE },           /* owner of links and FIFOs */
	{ SCMP_SYS(fchmod), SANDBOX_WRITE },             /* mode of files and directories */
	{ SCMP_SYS(fchmodat), SANDBOX_WRITE },           /* mode of FIFOs */
	{ SCMP_SYS(utimensat), SANDBOX_WRITE },          /* times */
	{ SCMP_SYS(fsetxattr), SANDBOX_WRITE },          /* security.capability, user.*; what a layer hides */
	{ SCMP_SYS(flistxattr), SANDBOX_WRITE },         /* a directory given twice keeps the later attributes */
	{ SCMP_SYS(fremovexattr), SANDBOX_WRITE },       /* as above */
};

static void release(scmp_filter_ctx *filter)
{
	seccomp_release(*filter);
}

/* libseccomp returns negative errno values; 0 while all is well. */
static int add_rules(scmp_filter_ctx filter, enum sandbox_kind kind)
{
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp fifo = SCMP_A2(SCMP_CMP_MASKED_EQ, S_IFMT, S_IFIFO);
	const struct scmp_arg_cmp character = SCMP_A2(SCMP_CMP_MASKED_EQ, S_IFMT, S_IFCHR), nothing = SCMP_A3(SCMP_CMP_EQ, 0);
	int error = 0;
	for (size_t i = 0; error == 0 && i < sizeof rules / sizeof *rules; i++)
		if (kind <= rules[i].until)
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, rules[i].call, 0);
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_code); /* malloc; never code */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code); /* malloc; never code */
	if (error == 0 && kind == SANDBOX_WRITE)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mknodat), 1, fifo); /* FIFOs; devices never */
	if (error == 0 && kind == SANDBOX_WRITE)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mknodat), 2, character, nothing); /* whiteouts: device 0:0 is none */
	return error;
}

static int load_filter(enum sandbox_kind kind, struct failure *f)
{
	scmp_filter_ctx filter __attribute__((cleanup(release))) = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return fail(f, FAILURE_HOST, "cannot make a sandbox: out of memory for the system call filter");
	int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (error == 0)
		error = add_rules(filter, kind);
	if (error == 0)
		error = seccomp_load(filter);
	return error == 0 ? 0 : fail_errno(f, -error, "cannot make a sandbox: system call filter");
}

static int set_limit(__rlimit_resource_t resource, unsigned long long value, struct failure *f)
{
	struct rlimit old;
	if (getrlimit(resource, &old) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: read limits");
	rlim_t least = value < old.rlim_max ? (rlim_t)value : old.rlim_max;
	const struct rlimit limit = { least, least };
	return setrlimit(resource, &limit) < 0 ? fail_errno(f, errno, "cannot make a sandbox: set limits") : 0;
}

/* Of the user namespace: what writing a tree with owners, modes and file capabilities takes. */
static int keep_capabilities(enum sandbox_kind kind, struct failure *f)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint32_t keep = 0;
	if (geteuid() == 0 && kind != SANDBOX_NOTHING)
		keep |= 1u << CAP_DAC_READ_SEARCH;
	if (geteuid() == 0 && kind == SANDBOX_WRITE)
		keep |= 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_FSETID | 1u << CAP_SETFCAP;
	data[0].effective = data[0].permitted = keep;
	return syscall(SYS_capset, &header, data) < 0 ? fail_errno(f, errno, "cannot make a sandbox: drop capabilities") : 0;
}

int sandbox_confine(enum sandbox_kind kind, struct confinement confinement, struct failure *f)
{
	if (set_limit(RLIMIT_CORE, 0, f) < 0 || set_limit(RLIMIT_FSIZE, confinement.file_bytes, f) < 0 ||
	    set_limit(RLIMIT_NOFILE, OPEN_FILES, f) < 0)
		return -1;
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (!SANITIZED && set_limit(RLIMIT_DATA, DATA_BYTES, f) < 0)
		return -1;
	if (keep_capabilities(kind, f) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: no new privileges");
	return SANITIZED ? 0 : load_filter(kind, f);
}
