/** Calls that belong together, with the reason why they are as they are. */
export interface CallGroup {
  readonly reason: string
  readonly calls: readonly string[]
}

function group(reason: string, calls: string): CallGroup {
  return { reason, calls: calls.split(/\s+/).filter((call) => call !== '') }
}

/** The whitelist of the original, `@rkt/default-whitelist`, by topic. */
export const originalCalls: readonly CallGroup[] = [
  group(
    'files: permission is that of the path or the descriptor, inside the mount namespace of the app',
    `access chdir chmod chown chown32 close creat dup dup2 dup3 faccessat fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchown
     fchown32 fchownat fcntl fcntl64 fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd
     getdents getdents64 lchown lchown32 link linkat _llseek lseek lstat lstat64 mkdir mkdirat newfstatat open openat readlink readlinkat
     rename renameat renameat2 rmdir stat stat64 statfs statfs64 symlink symlinkat truncate truncate64 umask unlink unlinkat utime utimensat
     utimes`,
  ),
  group(
    'bytes in and out of open descriptors',
    `copy_file_range pread64 preadv pwrite64 pwritev read readahead readv sendfile sendfile64 splice sync sync_file_range syncfs tee
     vmsplice write writev`,
  ),
  group(
    'extended attributes: the kernel checks the name spaces that need a capability',
    `fgetxattr flistxattr fremovexattr fsetxattr getxattr lgetxattr listxattr llistxattr lremovexattr lsetxattr removexattr setxattr`,
  ),
  group('device nodes can be made, and are opened only as far as the device policy lets', 'mknod mknodat'),
  group('the app is chrooted in its own mount namespace: a further root leads nowhere else', 'chroot'),
  group('ioctl: the requests that reach another session are refused apart', 'ioctl'),
  group(
    'waiting for descriptors',
    `epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_wait epoll_wait_old eventfd eventfd2 _newselect pipe pipe2 poll
     ppoll pselect6 select signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime`,
  ),
  group('watching files that can be read anyway', 'fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch'),
  group('asynchronous input and output of the older kind, bounded by fs.aio-max-nr', 'io_cancel io_destroy io_getevents io_setup io_submit'),
  group(
    'memory of the process itself, within its cgroup and limits',
    `brk madvise memfd_create mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap msync munlock munlockall munmap remap_file_pages`,
  ),
  group(
    'processes of the PID namespace; new namespaces are refused apart',
    `clone execve execveat exit exit_group fork getpgid getpgrp getpid getppid getsid gettid kill prctl rt_tgsigqueueinfo setpgid setsid
     tgkill tkill vfork wait4 waitid waitpid`,
  ),
  group(
    'threads and their bookkeeping',
    `arch_prctl futex get_robust_list get_thread_area modify_ldt restart_syscall set_robust_list set_thread_area set_tid_address`,
  ),
  group(
    'signals: whom they may reach, the kernel checks',
    `alarm getitimer pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait setitimer
     sigaltstack sigreturn`,
  ),
  group(
    'identities: changed only with CAP_SETUID and CAP_SETGID, and only to identities of the user namespace',
    `capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid getresuid32
     getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid
     setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32`,
  ),
  group(
    'limits and scheduling: raising either needs a capability that apps lack',
    `getcpu getpriority getrlimit getrusage ioprio_get ioprio_set prlimit64 sched_getaffinity sched_getattr sched_getparam
     sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
     sched_setscheduler sched_yield setpriority setrlimit ugetrlimit`,
  ),
  group(
    'reading clocks, sleeping, timers of the process',
    `clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time timer_create timer_delete timer_getoverrun timer_gettime
     timer_settime times`,
  ),
  group('reading facts of the machine, and random numbers', 'getrandom sysinfo syslog uname'),
  group(
    'sockets of the network namespace; the families that leave it are refused apart',
    `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmsg send sendmmsg sendmsg sendto
     setsockopt shutdown socket socketcall socketpair`,
  ),
  group(
    'System V and POSIX queues, semaphores and shared memory of the IPC namespace',
    `ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop
     shmat shmctl shmdt shmget`,
  ),
  group('a filter can only be made narrower', 'seccomp'),
  group('execution domains: the harmless ones are let through apart', 'personality'),
]

/** The blacklist of the original, `@rkt/default-blacklist`. */
export const originalRefusals: CallGroup = group(
  'what reaches the kernel or the host rather than the pod',
  `acct add_key adjtimex bpf clock_adjtime clock_settime clone create_module delete_module finit_module get_kernel_syms get_mempolicy
   init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind mount move_pages name_to_handle_at nfsservctl
   open_by_handle_at perf_event_open personality pivot_root process_vm_readv process_vm_writev ptrace query_module quotactl reboot
   request_key set_mempolicy setns settimeofday stime swapon swapoff sysfs _sysctl umount umount2 unshare uselib userfaultfd ustat vm86
   vm86old`,
)

/** What programs of today need beside the whitelist of the original, which is of 2017. */
export const laterCalls: readonly CallGroup[] = [
  group(
    'files: narrower or faster forms of calls above',
    `cachestat close_range faccessat2 fchmodat2 file_getattr openat2 preadv2 pwritev2 statx sync_file_range2`,
  ),
  group('extended attributes by descriptor', 'getxattrat listxattrat removexattrat setxattrat'),
  group('the C library calls it for every thread', 'rseq'),
  group('waiting for several futexes', 'futex_requeue futex_wait futex_waitv futex_wake'),
  group('waiting for descriptors with a mask, and completions of older asynchronous input', 'epoll_pwait2 io_pgetevents'),
  group('barriers among the threads of a process; JavaScript engines and garbage collectors use them', 'membarrier'),
  group(
    'memory of the process itself: protection keys, hints, sealing, shadow stacks, secret pages',
    `map_shadow_stack memfd_secret mseal pkey_alloc pkey_free pkey_mprotect process_madvise process_mrelease`,
  ),
  group('processes by descriptor: permission is that of kill and ptrace', 'pidfd_getfd pidfd_open pidfd_send_signal'),
  group(
    'tracing processes of the same pod: since Linux 4.8 the filter sees a call after the tracer has changed it',
    'process_vm_readv process_vm_writev ptrace',
  ),
  group('a sandbox that an app makes for itself', 'landlock_add_rule landlock_create_ruleset landlock_restrict_self'),
  group(
    '32-bit programs: times after 2038',
    `clock_getres_time64 clock_gettime64 clock_nanosleep_time64 futex_time64 io_pgetevents_time64 mq_timedreceive_time64
     mq_timedsend_time64 ppoll_time64 pselect6_time64 recvmmsg_time64 rt_sigtimedwait_time64 sched_rr_get_interval_time64
     semtimedop_time64 timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64`,
  ),
  group('32-bit programs: older forms of calls above', 'nice oldolduname olduname readdir sigaction signal sigpending sigprocmask sigsuspend'),
  group('ARM: caches, thread pointer, argument order', 'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls'),
]

/** Known calls that an app must not make; they answer EPERM, as for a process without the capability. */
export const refusedCalls: readonly CallGroup[] = [
  group(
    "the mount table is the runtime's: a mount could cover what masks and protects",
    `fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr pivot_root umount umount2`,
  ),
  group('a new user namespace opens much of the kernel to whoever makes it', 'setns unshare'),
  group('keyrings belong to users of the host, not to namespaces', 'add_key keyctl request_key'),
  group('programs and counters inside the kernel', 'bpf perf_event_open'),
  group('stops the kernel in the middle of a copy, which makes races certain', 'userfaultfd'),
  group('files by number, around every mount and path', 'name_to_handle_at open_by_handle_at'),
  group('the clocks of the host', 'adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime'),
  group("code of the host's kernel", 'delete_module finit_module init_module kexec_file_load kexec_load reboot'),
  group('accounting, quota and swap of the host', 'acct quotactl quotactl_fd swapoff swapon'),
  group('ports of the hardware, and the virtual mode of the 8086', 'ioperm iopl vm86 vm86old'),
  group('placing memory on nodes of the machine', 'get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node'),
  group('tells kernel addresses of other processes apart', 'kcmp'),
  group("shows the log of the host's kernel", 'syslog'),
  group('watches whole file systems', 'fanotify_init'),
  group("the names of the pod are the runtime's", 'setdomainname sethostname'),
  group('hangs up the terminal that the caller may own', 'vhangup'),
]

/** Known calls that answer ENOSYS, so that programs take the way that they have for older kernels. */
export const absentCalls: readonly CallGroup[] = [
  group('its flags are in memory, where a filter cannot see a request for namespaces; the C library then calls clone', 'clone3'),
  group('a second way to every call, which no filter sees', 'io_uring_enter io_uring_register io_uring_setup'),
  group('its arguments are in memory, where a filter cannot see the family; the C library then calls socket', 'socketcall'),
]
