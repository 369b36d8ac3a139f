#include "init-setup.h"

#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "message.h"
#include "rootfs.h"
#include "sys.h"

static int become_pod_root(struct fail *f) {
  if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0)) return fail(f, "become the pod's root", "");
  return 0;
}

int loopback_up(struct fail *f) {
  own int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo"};
  if (socket_fd < 0 || ioctl(socket_fd, SIOCGIFFLAGS, &request)) return fail(f, "bring up", "lo");
  request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
  return ioctl(socket_fd, SIOCSIFFLAGS, &request) ? fail(f, "bring up", "lo") : 0;
}

/* Outer builds the apps' roots in this very namespace until it says so. */
static int wait_for_mounts(int outer, struct fail *f) {
  struct message message;
  struct message_fds none;
  if (message_receive(outer, &message, &none) == 1 && message.kind == MESSAGE_DETACH) return 0;
  return fail_as(f, ECONNRESET, "wait for", "the launcher");
}

static int make_mask_sources(struct fail *f) {
  own int file = open("." INIT_MASK_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0000);
  if (file < 0 || mkdir("." INIT_MASK_DIR, 0000)) return fail(f, "make mask", "");
  return 0;
}

/*
 * Init's own root: an empty tmpfs with the pod's /proc and /sys. Both are made while the host's are still visible, which the kernel asks
 * for in a user namespace; the host's tree is then detached.
 */
static int change_root(int outer, int own_network, struct fail *f) {
  const unsigned plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return fail(f, "make mounts private", "");
  own int proc = mount_new("proc", "", plain, f);
  if (proc < 0) return -1;
  own int sys = own_network ? mount_new("sysfs", "", plain, f) : -1;
  if (own_network && sys < 0) return -1;
  own int root = mount_new("tmpfs", "mode=0755,size=64k,nr_inodes=16", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, f);
  if (root < 0) return -1;
  if (wait_for_mounts(outer, f)) return -1;
  if (sys_move_mount(root, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) || fchdir(root)) return fail(f, "mount", "init root");
  if (mkdir("proc", 0555) || mkdir("sys", 0555) || mkdir("." INIT_ROOT, 0755)) return fail(f, "make", "init root");
  if (make_mask_sources(f)) return -1;
  if (sys_move_mount(proc, "", root, "proc", MOVE_MOUNT_F_EMPTY_PATH)) return fail(f, "mount", "/proc");
  if (sys >= 0 && sys_move_mount(sys, "", root, "sys", MOVE_MOUNT_F_EMPTY_PATH)) return fail(f, "mount", "/sys");
  if (sys_pivot_root(".", ".") || umount2(".", MNT_DETACH) || chdir("/")) return fail(f, "change root of", "init");
  return 0;
}

static int set_sysctls(const struct section *pod, struct fail *f) {
  for_each_op(op, pod) {
    if (op->code != OP_SYSCTL) continue;
    /* The one setting that the kernel does not give to the root of a user namespace as a file. */
    if (strcmp(op->field[0].text, "kernel/domainname") == 0) {
      if (setdomainname(op->field[1].text, strlen(op->field[1].text))) return fail(f, "set sysctl", op->field[0].text);
      continue;
    }
    own int base = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
    own int fd = base < 0 ? -1 : sys_openat2(base, op->field[0].text, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    size_t size = strlen(op->field[1].text);
    if (fd < 0 || write(fd, op->field[1].text, size) != (ssize_t)size) return fail(f, "set sysctl", op->field[0].text);
  }
  return 0;
}

/* The caller's terminal and pipes are not the pod's: init's own 0, 1, 2 lead nowhere. */
static int drop_stdio(struct fail *f) {
  own int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return fail(f, "open", "/dev/null");
  for (int i = 0; i < 3; i++)
    if (dup2(null, i) < 0) return fail(f, "open", "/dev/null");
  return 0;
}

int init_setup(const struct init *init, struct fail *f) {
  const struct section *pod = &init->plan->pod;
  const struct op *hostname = section_find(pod, OP_HOSTNAME);
  if (section_find(pod, OP_IDMAP) && become_pod_root(f)) return -1;
  /* Made by the pod's root, who so owns its message queues; at the clone nobody in the pod has an id yet. */
  if ((init->flags & CLONE_NEWIPC) && unshare(CLONE_NEWIPC)) return fail(f, "make namespaces", "ipc");
  /* Never dumpable: an app with all capabilities of the pod must find nothing in /proc/1. */
  if (prctl(PR_SET_DUMPABLE, 0)) return fail(f, "make init", "undumpable");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return fail(f, "bind init to", "the launcher");
  /* Among the host's processes what an app leaves behind comes to init too. */
  if (!(init->flags & CLONE_NEWPID) && prctl(PR_SET_CHILD_SUBREAPER, 1)) return fail(f, "make init", "a reaper");
  if (drop_stdio(f)) return -1;
  if (hostname && (init->flags & CLONE_NEWUTS) && sethostname(hostname->field[0].text, strlen(hostname->field[0].text)))
    return fail(f, "set hostname", hostname->field[0].text);
  if ((init->flags & CLONE_NEWNET) && loopback_up(f)) return -1;
  /* Another runtime makes the apps: it needs the tree, the processes and the devices of the host. */
  if (section_find(pod, OP_SANDBOX)) {
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return fail(f, "make mounts private", "");
    return wait_for_mounts(init->outer, f);
  }
  if (change_root(init->outer, (init->flags & CLONE_NEWNET) != 0, f)) return -1;
  return set_sysctls(pod, f);
}
