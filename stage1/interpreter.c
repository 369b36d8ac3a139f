#include "interpreter.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

enum { HEAD_SIZE = 4096, NAME_SIZE = 256 };

/* The first word after `#!`. Returns its length, 0 when there is none that fits. */
static size_t of_script(const char *head, size_t size, char *name) {
  size_t at = 2;
  while (at < size && (head[at] == ' ' || head[at] == '\t')) at++;
  size_t length = 0;
  while (at + length < size && length < NAME_SIZE - 1 && !strchr(" \t\n", head[at + length])) length++;
  if (at + length == size || length == NAME_SIZE - 1) return 0;
  memcpy(name, head + at, length);
  return length;
}

/* PT_INTERP of a 64-bit file of this machine; the program headers follow the file's header in practice, others are execve's affair. */
static size_t of_elf(int fd, const char *head, size_t size, char *name) {
  Elf64_Ehdr file;
  memcpy(&file, head, sizeof file);
  if (file.e_ident[EI_CLASS] != ELFCLASS64 || file.e_phentsize != sizeof(Elf64_Phdr) || file.e_phoff > size) return 0;
  for (size_t i = 0; i < file.e_phnum && (i + 1) * sizeof(Elf64_Phdr) <= size - file.e_phoff; i++) {
    Elf64_Phdr part;
    memcpy(&part, head + file.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type != PT_INTERP) continue;
    if (part.p_filesz < 2 || part.p_filesz >= NAME_SIZE || part.p_offset > INT64_MAX) return 0;
    ssize_t got = pread(fd, name, part.p_filesz, (off_t)part.p_offset);
    return got == (ssize_t)part.p_filesz && name[got - 1] == 0 ? strlen(name) : 0;
  }
  return 0;
}

int interpreter_check(const char *path, struct fail *f) {
  char head[HEAD_SIZE], name[NAME_SIZE] = {0};
  struct stat st;
  /* Not to wait: the path may be a pipe or a device. A program may be executable and yet not readable. */
  own int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) return 0;
  ssize_t got = pread(fd, head, sizeof head, 0);
  size_t size = got < 0 ? 0 : (size_t)got;
  size_t length = 0;
  if (size > 2 && memcmp(head, "#!", 2) == 0) length = of_script(head, size, name);
  else if (size >= sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0) length = of_elf(fd, head, size, name);
  if (length == 0 || faccessat(AT_FDCWD, name, F_OK, 0) == 0 || errno != ENOENT) return 0;
  return fail_as(f, ENOENT, "execute the program: Error: Unable to open", name);
}
