/* Before and after a tree is written: an empty destination, and the listing of what it then holds. */
#ifndef UNPACK_TREE_LIST_H
#define UNPACK_TREE_LIST_H

#include "hash.h"
#include "tree.h"

int tree_check_empty(int directory, struct failure *f);

/* Writes the listing to `listing`, or nowhere with -1; `tree_hash` gets 2 * SHA512_BYTES digits and a NUL. */
int tree_list(struct tree *tree, int listing, const struct hashes *hashes, char *tree_hash, struct failure *f);

#endif
