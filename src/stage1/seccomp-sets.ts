import { originalRefusals, refusedCalls } from './seccomp-calls.ts'
import { allowedByDefault } from './seccomp-default.ts'

const words = (text: string): readonly string[] => text.split(/\s+/)

const clock = words('adjtimex clock_adjtime clock_settime settimeofday stime')
const rawIo = words('ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write')

/** What the original's systemd lets every process call that has a whitelist: without it nothing starts. */
export const alwaysRetained: readonly string[] = words(
  'clock_getres clock_gettime clock_nanosleep execve exit exit_group getrlimit gettimeofday nanosleep pause rt_sigreturn sigreturn time',
)

const defaultWhitelist = [...allowedByDefault]
const defaultBlacklist = [...new Set([...originalRefusals.calls, ...refusedCalls.flatMap((group) => group.calls)])]

/**
 * The sets of calls that an isolator can name. The default lists are those of today: the original's, without what is refused since,
 * and with what programs need since.
 */
export const namedSets: ReadonlyMap<string, readonly string[]> = new Map([
  ['@rkt/default-whitelist', defaultWhitelist],
  ['@docker/default-whitelist', defaultWhitelist],
  ['@rkt/default-blacklist', defaultBlacklist],
  ['@docker/default-blacklist', defaultBlacklist],
  ['@systemd/clock', clock],
  ['@systemd/default-whitelist', alwaysRetained],
  ['@systemd/mount', words('chroot mount pivot_root umount umount2')],
  [
    '@systemd/network-io',
    words(
      `accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmsg send sendmmsg sendmsg sendto
       setsockopt shutdown socket socketcall socketpair`,
    ),
  ],
  [
    '@systemd/obsolete',
    words(
      `_sysctl afs_syscall break create_module epoll_ctl_old epoll_wait_old ftime get_kernel_syms getpmsg gtty lock mpx prof profil putpmsg
       query_module security sgetmask ssetmask stty sysfs tuxcall ulimit uselib ustat vserver`,
    ),
  ],
  [
    '@systemd/privileged',
    [
      ...clock,
      ...rawIo,
      ...words(
        `acct bdflush bpf capset chown chown32 chroot delete_module fchown fchown32 fchownat finit_module init_module kexec_file_load
         kexec_load lchown lchown32 nfsservctl pivot_root quotactl reboot setdomainname setfsuid setfsuid32 setgroups setgroups32
         sethostname setresuid setresuid32 setreuid setreuid32 setuid setuid32 swapoff swapon _sysctl vhangup`,
      ),
    ],
  ],
  ['@systemd/process', words('arch_prctl clone execve execveat fork kill prctl setns tgkill tkill unshare vfork')],
  ['@systemd/raw-io', rawIo],
])
