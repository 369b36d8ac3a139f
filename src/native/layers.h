/* Looks paths up in trees that lie over each other, as overlay shows them, without a mount: whiteouts and opaque directories hide. */
#ifndef RKT_LAYERS_H
#define RKT_LAYERS_H

#include <stddef.h>

/*
 * Descriptor (O_PATH) of what `path` leads to, symbolic links followed as if the merged tree were `/`; -1 with errno. `layers` are
 * directories, the topmost first, which nobody changes meanwhile.
 */
int layers_find(const int *layers, size_t count, const char *path);

#endif
