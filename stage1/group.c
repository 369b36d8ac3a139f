#include "group.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "sys.h"

/* Whether the process is in the group: its own list names it by the path below the mount point of the hierarchy. */
static int is_member(int pid, const char *path) {
  char file[64], line[4096];
  int found = 0;
  snprintf(file, sizeof file, "/proc/%d/cgroup", pid);
  FILE *list = fopen(file, "re");
  while (list && !found && fgets(line, sizeof line, list)) {
    line[strcspn(line, "\n")] = 0;
    const char *group = strchr(line, ':');
    group = group ? strchr(group + 1, ':') : NULL;
    size_t length = group ? strlen(++group) : 0;
    found = length > 1 && length <= strlen(path) && strcmp(path + strlen(path) - length, group) == 0;
  }
  if (list) fclose(list);
  return found;
}

/* By descriptor, and once it is certain that the number still belongs to a member. */
static void kill_member(int pid, const char *path) {
  own int process = (int)syscall(SYS_NR_pidfd_open, pid, 0);
  if (process >= 0 && is_member(pid, path)) syscall(SYS_NR_pidfd_send_signal, process, SIGKILL, NULL, 0);
}

void group_kill(const char *path) {
  char file[4096];
  snprintf(file, sizeof file, "%s/cgroup.kill", path);
  own int all = open(file, O_WRONLY | O_CLOEXEC);
  /* KERNEL: version 2 kills a whole group at once (5.14); version 1 has only the list of its members. */
  if (all >= 0 && write(all, "1", 1) == 1) return;
  snprintf(file, sizeof file, "%s/cgroup.procs", path);
  FILE *list = fopen(file, "re");
  int pid;
  while (list && fscanf(list, "%d", &pid) == 1)
    if (pid > 1 && pid != getpid()) kill_member(pid, path);
  if (list) fclose(list);
}

int group_remove(const char *path, struct fail *f) {
  DIR *dir = opendir(path);
  if (!dir) return errno == ENOENT ? 0 : fail(f, "remove cgroup", path);
  for (struct dirent *entry; (entry = readdir(dir));) {
    char below[4096];
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < sizeof below) group_remove(below, f);
  }
  closedir(dir);
  for (int attempt = 0; attempt < 200; attempt++) {
    if (rmdir(path) == 0 || errno == ENOENT) return 0;
    if (errno != EBUSY) break;
    group_kill(path);
    pause_ms(attempt < 20 ? 1 : 20);
  }
  return fail(f, "remove cgroup", path);
}
