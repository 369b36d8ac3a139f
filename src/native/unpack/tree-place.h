/* What the parts of the tree writer share. */
#ifndef UNPACK_TREE_PLACE_H
#define UNPACK_TREE_PLACE_H

#include "tree.h"

#include <time.h>

/* Where a member goes: an open directory and a name in it. */
struct place {
	int directory;
	const char *name;
};

int tree_refuse(const struct tar_entry *e, struct failure *f, const char *state);

/* Takes errno. */
int tree_broken(const struct tar_entry *e, struct failure *f, const char *step);
void tree_close(int *fd);

/* tree-place.c */

/* Opens a directory at or beneath another; fails on every symbolic link in the way. */
int tree_open_beneath(int directory, const char *path);

/* Finds the place of a member, whose directory stays open until the next call; makes directories that no member named. */
int tree_find_place(struct tree *tree, const struct tar_entry *e, struct place *place, struct failure *f);

/* Something of the archive has this name already: the later member replaces it, but never a directory that is not empty. */
int tree_clear_place(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f);

/* Remembers the time that a directory gets once nothing more is made in it. */
int tree_note_directory(struct tree *tree, int fd, const struct timespec *mtime, const struct tar_entry *e, struct failure *f);

/* tree-whiteout.c */

/* Hides what a layer below may have at the place; something of this archive is there only if it is a directory. */
int tree_hide_below(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f);

/* Shows nothing of the layers below in the directory. */
int tree_make_opaque(struct tree *tree, int fd, const struct tar_entry *e, struct failure *f);

/* Takes a whiteout away, when it is one that lies there: a directory comes instead. */
bool tree_has_whiteout(int directory, const char *name);
bool tree_remove_whiteout(int directory, const char *name);

/* Marks a directory that no member named, or takes the mark away. */
int tree_mark_unnamed(struct tree *tree, int fd, const struct tar_entry *e, struct failure *f);
int tree_unmark_unnamed(struct tree *tree, int fd, const struct tar_entry *e, struct failure *f);

/* Whether a member of a layer takes something away; then it is done. */
bool tree_is_whiteout(const struct tar_entry *e);
int tree_put_whiteout(struct tree *tree, const struct tar_entry *e, struct failure *f);

/* tree-device.c */

struct device *tree_find_device(struct tree *tree, const char *path);
void tree_drop_device(struct tree *tree, const char *path);
int tree_put_device(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f);

/* A hard link to a recorded device is one more record of it. */
int tree_put_device_link(struct tree *tree, const struct place *place, const struct device *device, const struct tar_entry *link, struct failure *f);

/* tree-attributes.c */

struct timespec tree_mtime(const struct tar_entry *e);
int tree_set_attributes(int fd, const struct tar_entry *e, struct failure *f);

/* Owner and time of what cannot be opened. */
int tree_set_link_attributes(const struct place *place, const struct tar_entry *e, struct failure *f);

/* Removes the attributes that an earlier member of the same name set. */
int tree_clear_xattrs(int fd, const struct tar_entry *e, struct failure *f);

#endif
