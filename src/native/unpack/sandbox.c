#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* On the host: ids of the image are ids from 2^30 on, which are nobody's. */
static const char far_map[] = "0 1073741824 1073741824\n";

/*
 * In a user namespace that does not know all ids (an ordinary user's rkt) nothing can be mapped again: ids of the image are those of
 * the namespace, in which files are stored too.
 */
struct own_map {
	bool whole;
	char text[1024]; /* every id that is known, as itself */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int read_own_map(const char *path, struct own_map *own)
{
	FILE *file = fopen(path, "re");
	unsigned inside, outside, count;
	size_t used = 0;
	own->whole = false;
	own->text[0] = 0;
	if (!file)
		return -1;
	while (used < sizeof own->text && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3) {
		own->whole = own->whole || (inside == 0 && outside == 0 && count == UINT32_MAX);
		used += (size_t)snprintf(own->text + used, sizeof own->text - used, "%u %u %u\n", inside, inside, count);
	}
	fclose(file);
	errno = E2BIG;
	return used < sizeof own->text ? 0 : -1;
}

/* Maps a namespace as far away as ours allows. */
static int write_map(pid_t pid, const char *name)
{
	char path[64];
	struct own_map own;
	snprintf(path, sizeof path, "/proc/self/%s", name);
	if (read_own_map(path, &own) < 0)
		return -1;
	const char *text = own.whole ? far_map : own.text;
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd __attribute__((cleanup(close_fd))) = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* Whether owners of mounts can be mapped: only where every id is known. */
static bool knows_all_ids(void)
{
	struct own_map uids, gids;
	return read_own_map("/proc/self/uid_map", &uids) == 0 && read_own_map("/proc/self/gid_map", &gids) == 0 && uids.whole && gids.whole;
}

/* Makes a user namespace and its map: a child holds it until it is open here. */
static int open_user_namespace(struct failure *f)
{
	int hold[2];
	char path[64];
	if (pipe2(hold, O_CLOEXEC) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: pipe");
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0) {
		int error = errno;
		close(hold[0]);
		close(hold[1]);
		return fail_errno(f, error, "cannot make a sandbox: user namespace");
	}
	if (pid == 0) {
		char byte;
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) < 0);
	}
	int fd = -1, error = 0;
	snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
	if (write_map(pid, "uid_map") < 0 || write_map(pid, "gid_map") < 0 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		error = errno;
	close(hold[0]);
	close(hold[1]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return error != 0 ? fail_errno(f, error, "cannot make a sandbox: map of user ids") : fd;
}

/* Names the file system of a destination that cannot be idmapped. */
static int refuse_file_system(int destination, int error, struct failure *f)
{
	static const struct { unsigned long magic; const char *name; } known[] = {
		{ 0x01021994, "tmpfs" }, { 0x794c7630, "overlay" }, { 0x6969, "nfs" }, { 0x65735546, "fuse" },
		{ 0x01021997, "9p" }, { 0xff534d42, "cifs" }, { 0x858458f6, "ramfs" }, { 0x2fc12fc1, "zfs" },
	};
	struct statfs st;
	char name[32] = "unknown";
	if (fstatfs(destination, &st) == 0) {
		snprintf(name, sizeof name, "type 0x%lx", (unsigned long)st.f_type);
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (known[i].magic == (unsigned long)st.f_type)
				snprintf(name, sizeof name, "%s", known[i].name);
	}
	if (error == EINVAL)
		return fail(f, FAILURE_HOST, "cannot unpack into the destination: its file system (%s) has no idmapped mounts on this kernel; expected ext4, xfs, btrfs, or tmpfs from Linux 6.3",
			    name);
	return fail_errno(f, error, "cannot make a sandbox: idmapped mount of the destination (%s)", name);
}

/* A private view of the destination: ids of the image inside are the same numbers on disk. KERNEL: idmapped mounts, 5.12; no fallback on the host. */
static int open_destination(enum sandbox_kind kind, int destination, int user_namespace, struct failure *f)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | (kind == SANDBOX_READ ? MOUNT_ATTR_RDONLY : 0),
	};
	if (knows_all_ids()) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (uint64_t)user_namespace;
	}
	int mount = (int)syscall(SYS_open_tree, destination, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount < 0)
		return fail_errno(f, errno, "cannot make a sandbox: clone of the destination's mount");
	if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0) {
		int error = errno;
		close(mount);
		return refuse_file_system(destination, error, f);
	}
	return mount;
}

/* An empty read-only file system, for a process that writes nothing. */
static int open_nothing(struct failure *f)
{
	int context __attribute__((cleanup(close_fd))) = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: empty file system");
	int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	return mount < 0 ? fail_errno(f, errno, "cannot make a sandbox: mount of an empty file system") : mount;
}

/* Makes the mount the root of a mount namespace of our own; nothing else stays reachable. */
static int change_root(int tree, struct failure *f)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: private mounts");
	/* /proc is a directory everywhere, and no longer needed. */
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: mount of the destination");
	if (fchdir(tree) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return fail_errno(f, errno, "cannot make a sandbox: pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return fail_errno(f, errno, "cannot make a sandbox: unmount of the host");
	return 0;
}

/* Dies with its parent, also when that is gone already. A change of user clears the signal. */
static int die_with_parent(pid_t parent, struct failure *f)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: death signal");
	return getppid() == parent ? 0 : fail(f, FAILURE_HOST, "cannot unpack: the parent process is gone");
}

int sandbox_enter(enum sandbox_kind kind, int destination, struct failure *f)
{
	const pid_t parent = getppid();
	if (geteuid() != 0) {
		if (kind != SANDBOX_NOTHING)
			return fail(f, FAILURE_HOST, "cannot unpack as an ordinary user; expected root");
		return die_with_parent(parent, f);
	}
	int user_namespace __attribute__((cleanup(close_fd))) = open_user_namespace(f);
	if (user_namespace < 0)
		return -1;
	int mount __attribute__((cleanup(close_fd))) = kind == SANDBOX_NOTHING ? open_nothing(f) : open_destination(kind, destination, user_namespace, f);
	if (mount < 0)
		return -1;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: namespaces");
	if (change_root(mount, f) < 0)
		return -1;
	if (setns(user_namespace, CLONE_NEWUSER) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: enter the user namespace");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return fail_errno(f, errno, "cannot make a sandbox: change of user");
	return die_with_parent(parent, f);
}
