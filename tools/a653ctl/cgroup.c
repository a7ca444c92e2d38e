// SPDX-License-Identifier: GPL-2.0
/* The cgroup file system; paths are relative to it */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "liba653.h"

/**
 * cgroup_path_wrong - is this the path of a cgroup below the root?
 * @path: relative, as a user wrote it
 *
 * Return: NULL, or what is wrong with it.
 */
const char *cgroup_path_wrong(const char *path)
{
	if (!*path)
		return "is empty: say a path below " CGROUP_ROOT;
	if (*path == '/')
		return "is absolute: say a path below " CGROUP_ROOT;
	for (const char *p = path; *p; p++)
		if (*p <= ' ' || *p > '~')
			return "has a character other than printable ASCII";
	for (const char *p = path;;) {
		size_t len = strcspn(p, "/");

		if (!len)
			return "has an empty component: leave out the \"/\" too many";
		if (*p == '.' && (len == 1 || (len == 2 && p[1] == '.')))
			return "has a component \".\" or \"..\": say it without";
		if (len > 255)
			return "has a component of more than 255 characters";
		p += len;
		if (!*p++)
			return NULL;
	}
}

/* Is @path the cgroup @dir or one below it? "" is the root */
bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (!len)
		return true;
	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}

bool cgroup_check_mounted(void)
{
	struct statfs fs;

	if (!statfs(CGROUP_ROOT, &fs) &&
	    (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC)
		return true;
	complain("%s is no cgroup v2 file system: mount one there (mount -t cgroup2 none %s)",
		 CGROUP_ROOT, CGROUP_ROOT);
	return false;
}

static char *full_path(const char *path, const char *file)
{
	return xasprintf("%s%s%s%s%s", CGROUP_ROOT, *path ? "/" : "", path,
			 file ? "/" : "", file ?: "");
}

bool cgroup_exists(const char *path)
{
	char *full = full_path(path, NULL);
	struct stat st;
	bool exists = !stat(full, &st) && S_ISDIR(st.st_mode);

	free(full);
	return exists;
}

/* 0 or a negative errno, as all that follow */
int cgroup_mkdir(const char *path)
{
	char *full = full_path(path, NULL);
	int err = mkdir(full, 0755) < 0 ? -errno : 0;

	free(full);
	return err;
}

int cgroup_rmdir(const char *path)
{
	char *full = full_path(path, NULL);
	int err = rmdir(full) < 0 ? -errno : 0;

	free(full);
	return err;
}

/* Write @text and a newline to a file of a cgroup */
int cgroup_write(const char *path, const char *file, const char *text)
{
	char *full = full_path(path, file), *line = xasprintf("%s\n", text);
	int fd = open(full, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	free(full);
	free(line);
	return err;
}

/* The text of a file of a cgroup; the caller frees it. NULL: errno tells */
char *cgroup_read(const char *path, const char *file)
{
	char *full = full_path(path, file), *text = NULL;
	FILE *f = fopen(full, "re");
	size_t len = 0, size = 0;
	int c;

	free(full);
	if (!f)
		return NULL;
	for (c = getc(f); c != EOF; c = getc(f)) {
		if (len + 1 >= size) {
			size = size ? size * 2 : 256;
			text = realloc(text, size);
			if (!text)
				abort();
		}
		text[len++] = c;
	}
	fclose(f);
	if (!text)
		return xstrdup("");
	text[len] = '\0';
	return text;
}

/* Do the children of @path have the files of the a653 controller? */
bool cgroup_controls(const char *path)
{
	char *text = cgroup_read(path, "cgroup.subtree_control"), *rest = text;
	const char *word;
	bool found = false;

	while (rest && (word = strsep(&rest, "\n ")))
		found |= !strcmp(word, "a653");
	free(text);
	return found;
}

/*
 * The partition to which @path itself is bound, "" if it is bound to none;
 * NULL if there is no such file. The caller frees it.
 */
char *cgroup_bound_to(const char *path)
{
	char *text = cgroup_read(path, "a653.partition");

	/* Later kernels may tell more, after the name */
	if (text)
		text[strcspn(text, " \t\n")] = '\0';
	return text;
}

static bool is_bound_to(const char *path, const char *partition)
{
	char *bound = cgroup_bound_to(path);
	bool is = bound && *bound && (!partition || !strcmp(bound, partition));

	free(bound);
	return is;
}

static bool is_child(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
	       strcmp(entry->d_name, "..");
}

/*
 * The first cgroup below @path, @depth levels deep, that is bound to
 * @partition, or to any if that is NULL. The caller frees it.
 */
static char *find_bound(const char *path, const char *partition, int depth)
{
	char *full = full_path(path, NULL), *found = NULL;
	DIR *dir = opendir(full);
	struct dirent *entry;

	free(full);
	if (!dir)
		return NULL;
	while (!found && (entry = readdir(dir))) {
		char *child;

		if (!is_child(entry))
			continue;
		child = xasprintf("%s%s%s", path, *path ? "/" : "",
				  entry->d_name);
		if (is_bound_to(child, partition))
			found = xstrdup(child);
		else if (depth > 1)
			found = find_bound(child, partition, depth - 1);
		free(child);
	}
	closedir(dir);
	return found;
}

/* Cgroups can be nested deeper, but nobody does that by hand */
#define MAX_DEPTH	32

/* The cgroup that is bound to a partition, or NULL. The caller frees it. */
char *cgroup_find(const char *partition)
{
	return find_bound("", partition, MAX_DEPTH);
}

/* A child of @path that is bound to some partition, or NULL */
char *cgroup_bound_child(const char *path)
{
	return find_bound(path, NULL, 1);
}

/* The budget of the partition to which @path is bound; it may have none */
int cgroup_get_server(const char *path, struct server *server)
{
	char *text = cgroup_read(path, "a653.rtds");
	bool ok;

	if (!text)
		return -errno;
	ok = server_parse(text, server);
	free(text);
	return ok ? 0 : -EPROTO;
}
