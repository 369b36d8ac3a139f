/* Why execve says "no such file" of a program that is there: the interpreter that it names is missing. */
#ifndef RKT_INTERPRETER_H
#define RKT_INTERPRETER_H

#include "fail.h"

/* Fails when `path` is an ELF file or a script whose interpreter does not exist; whatever else is wrong is left to execve. */
int interpreter_check(const char *path, struct fail *f);

#endif
