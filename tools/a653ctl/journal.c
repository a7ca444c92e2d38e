// SPDX-License-Identifier: GPL-2.0
/*
 * What load did to the cgroups, so that it can be undone: at once if
 * something fails, or by unload
 *
 * The journal of a module is a list of steps in /run/a653/MODULE.json. It is
 * written after each step, so that even a load that was killed leaves nothing
 * behind of which unload does not know. Undoing goes backwards.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "liba653.h"

static const char *const step_names[] = {
	[STEP_MKDIR] = "mkdir",
	[STEP_ENABLE] = "enable",
	[STEP_BIND] = "bind",
	[STEP_UNBIND] = "unbind",
};

/* One a653ctl at a time changes cgroups. The caller closes the descriptor. */
int journal_lock(void)
{
	int fd;

	if (mkdir(JOURNAL_DIR, 0755) < 0 && errno != EEXIST) {
		complain("cannot make %s: %s", JOURNAL_DIR, strerror(errno));
		return -1;
	}
	/* A file that only root can open, so that nobody else can lock root out */
	fd = open(JOURNAL_DIR "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && !flock(fd, LOCK_EX))
		return fd;
	complain("cannot lock %s/.lock: %s", JOURNAL_DIR, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static void insert_step(struct journal *journal, size_t at,
			enum step_kind kind, const char *path,
			const char *partition)
{
	journal->step = xgrow(journal->step, journal->nr,
			      sizeof(*journal->step));
	memmove(journal->step + at + 1, journal->step + at,
		(journal->nr - at) * sizeof(*journal->step));
	journal->step[at].kind = kind;
	journal->step[at].path = xstrdup(path);
	journal->step[at].partition = partition ? xstrdup(partition) : NULL;
	journal->nr++;
}

static void remove_step(struct journal *journal, size_t at)
{
	free(journal->step[at].path);
	free(journal->step[at].partition);
	journal->nr--;
	memmove(journal->step + at, journal->step + at + 1,
		(journal->nr - at) * sizeof(*journal->step));
}

void journal_free(struct journal *journal)
{
	while (journal->nr)
		remove_step(journal, journal->nr - 1);
	free(journal->step);
	journal->step = NULL;
}

static char *journal_path(const char *module)
{
	return xasprintf("%s/%s.json", JOURNAL_DIR, module);
}

static const char *get_text(struct json_object *obj, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static bool read_step(struct json_object *obj, struct journal *journal)
{
	const char *name = get_text(obj, "step");
	const char *path = get_text(obj, "cgroup");
	const char *partition = get_text(obj, "partition");

	for (size_t kind = 0; name && kind < ARRAY_SIZE(step_names); kind++) {
		bool binds = kind == STEP_BIND || kind == STEP_UNBIND;

		if (strcmp(step_names[kind], name))
			continue;
		/* Only the controller can be enabled in the root itself */
		if (!path || (cgroup_path_wrong(path) &&
			      (*path || kind != STEP_ENABLE)))
			return false;
		if (binds && !partition)
			return false;
		insert_step(journal, journal->nr, kind, path, partition);
		return true;
	}
	return false;
}

static bool read_steps(struct json_object *obj, struct journal *journal)
{
	struct json_object *list;

	if (!json_object_object_get_ex(obj, "steps", &list) ||
	    !json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!read_step(json_object_array_get_idx(list, i), journal))
			return false;
	return true;
}

/**
 * journal_read - what was done for a module so far
 * @module: its name
 * @journal: the journal, empty if there is none; the caller frees it
 *
 * Return: true, or false after saying what is wrong.
 */
bool journal_read(const char *module, struct journal *journal)
{
	char *path = journal_path(module);
	struct json_object *obj = NULL;
	bool ok = true;

	memset(journal, 0, sizeof(*journal));
	set_name(journal->module, module);
	if (!access(path, F_OK)) {
		obj = json_object_from_file(path);
		ok = obj && read_steps(obj, journal);
	}
	if (!ok)
		complain("%s is damaged: remove it, and take down by hand what was loaded",
			 path);
	json_object_put(obj);
	free(path);
	return ok;
}

static struct json_object *journal_json(const struct journal *journal)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *list = json_object_new_array(), *elem;

	for (size_t i = 0; i < journal->nr; i++) {
		const struct step *step = &journal->step[i];

		elem = json_object_new_object();
		json_add_text(elem, "step", step_names[step->kind]);
		json_add_text(elem, "cgroup", step->path);
		if (step->partition)
			json_add_text(elem, "partition", step->partition);
		json_object_array_add(list, elem);
	}
	json_add_text(obj, "module", journal->module);
	json_object_object_add(obj, "steps", list);
	return obj;
}

/* Written aside and renamed, so that it is whole or not there */
bool journal_write(const struct journal *journal)
{
	char *path = journal_path(journal->module);
	char *aside = xasprintf("%s.new", path);
	struct json_object *obj = journal_json(journal);
	bool ok;

	if (journal->nr)
		ok = !json_object_to_file_ext(aside, obj,
					      JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_NOSLASHESCAPE) &&
		     !rename(aside, path);
	else
		ok = !unlink(path) || errno == ENOENT;
	if (!ok)
		complain("cannot write %s: %s", path, strerror(errno));
	json_object_put(obj);
	free(aside);
	free(path);
	return ok;
}

static int do_step(const struct step *step)
{
	switch (step->kind) {
	case STEP_MKDIR:
		return cgroup_mkdir(step->path);
	case STEP_ENABLE:
		return cgroup_write(step->path, "cgroup.subtree_control",
				    "+a653");
	case STEP_BIND:
		return cgroup_write(step->path, "a653.partition",
				    step->partition);
	case STEP_UNBIND:
		return cgroup_write(step->path, "a653.partition", "");
	}
	return -EINVAL;
}

/* Why a binding is refused with EBUSY */
static void complain_bind(const struct step *step, int err)
{
	char *other = cgroup_find(step->partition);

	if (err == -EBUSY && other)
		complain("cannot bind the cgroup %s to the partition %s: %s is bound to it",
			 step->path, step->partition, other);
	else if (err == -EBUSY)
		complain("cannot bind the cgroup %s to the partition %s: it has SCHED_A653 tasks",
			 step->path, step->partition);
	else
		complain("cannot bind the cgroup %s to the partition %s: %s",
			 step->path, step->partition, strerror(-err));
	free(other);
}

static void complain_step(const struct step *step, int err)
{
	const char *hint = "";

	switch (step->kind) {
	case STEP_MKDIR:
		complain("cannot make the cgroup %s: %s", step->path,
			 strerror(-err));
		return;
	case STEP_ENABLE:
		if (err == -EBUSY || err == -EOPNOTSUPP)
			hint = " (it or a cgroup above has processes: move them elsewhere)";
		complain("cannot enable the controller a653 in %s/%s: %s%s",
			 CGROUP_ROOT, step->path, strerror(-err), hint);
		return;
	case STEP_BIND:
		complain_bind(step, err);
		return;
	case STEP_UNBIND:
		complain("cannot unbind the cgroup %s from the partition %s: %s",
			 step->path, step->partition,
			 err == -EBUSY ? "it has SCHED_A653 tasks" : strerror(-err));
		return;
	}
}

/**
 * journal_do - take a step and write it down
 * @journal: the journal
 * @kind: what to do
 * @path: to which cgroup
 * @partition: which partition, for STEP_BIND and STEP_UNBIND
 *
 * Return: true, or false after saying why not; then nothing has changed.
 */
bool journal_do(struct journal *journal, enum step_kind kind,
		const char *path, const char *partition)
{
	int err;

	/* Before it is done: the other way round it could be forgotten */
	insert_step(journal, journal->nr, kind, path, partition);
	if (!journal_write(journal)) {
		remove_step(journal, journal->nr - 1);
		return false;
	}
	err = do_step(&journal->step[journal->nr - 1]);
	if (!err)
		return true;
	complain_step(&journal->step[journal->nr - 1], err);
	remove_step(journal, journal->nr - 1);
	journal_write(journal);
	return false;
}

/* Undoing */

static bool is_needed_by(const struct step *step, const struct journal *other)
{
	for (size_t i = 0; i < other->nr; i++)
		if (other->step[i].kind != STEP_ENABLE &&
		    path_is_below(other->step[i].path, step->path))
			return true;
	return false;
}

/*
 * Another module's cgroups stand on what this one made: it is now that
 * module's to take down, after everything else.
 */
static bool hand_over(const struct step *step, const char *module)
{
	struct journal other;
	bool needed;

	if (!journal_read(module, &other)) {
		journal_free(&other);
		return false;
	}
	needed = is_needed_by(step, &other);
	if (needed) {
		insert_step(&other, 0, step->kind, step->path, NULL);
		needed = journal_write(&other);
	}
	journal_free(&other);
	return needed;
}

/* The module of a journal's file name; false if it is no journal */
static bool file_module(const char *file, char module[static A653_NAME_LEN])
{
	size_t len = strlen(file);

	if (len < 6 || len - 5 >= A653_NAME_LEN ||
	    strcmp(file + len - 5, ".json"))
		return false;
	memcpy(module, file, len - 5);
	module[len - 5] = '\0';
	return true;
}

static bool hand_to_any(const struct step *step, const char *module)
{
	DIR *dir = opendir(JOURNAL_DIR);
	char other[A653_NAME_LEN];
	struct dirent *entry;
	bool done = false;

	if (!dir)
		return false;
	while (!done && (entry = readdir(dir)))
		if (file_module(entry->d_name, other) && strcmp(other, module))
			done = hand_over(step, other);
	closedir(dir);
	return done;
}

static bool undo_mkdir(const struct step *step)
{
	int err = cgroup_rmdir(step->path);

	if (!err || err == -ENOENT)
		return true;
	if (err == -EBUSY || err == -ENOTEMPTY)
		complain("the cgroup %s stays: processes or other cgroups are still in it",
			 step->path);
	else
		complain("the cgroup %s stays: %s", step->path, strerror(-err));
	return false;
}

static bool undo_enable(const struct step *step)
{
	char *child;
	int err;

	if (!cgroup_exists(step->path) || !cgroup_controls(step->path))
		return true;
	child = cgroup_bound_child(step->path);
	if (child) {
		complain("the controller a653 stays enabled in %s/%s: the cgroup %s is bound",
			 CGROUP_ROOT, step->path, child);
		free(child);
		return false;
	}
	err = cgroup_write(step->path, "cgroup.subtree_control", "-a653");
	if (err)
		complain("the controller a653 stays enabled in %s/%s: %s",
			 CGROUP_ROOT, step->path, err == -EBUSY ?
			 "cgroups below it use it" : strerror(-err));
	return !err;
}

static bool undo_bind(const struct step *step)
{
	char *bound = cgroup_bound_to(step->path);
	bool ours = bound && !strcmp(bound, step->partition);
	int err;

	free(bound);
	/* Somebody else has changed it since */
	if (!ours)
		return true;
	err = cgroup_write(step->path, "a653.partition", "");
	if (err)
		complain("the cgroup %s stays bound to the partition %s: %s",
			 step->path, step->partition, strerror(-err));
	return !err;
}

static bool undo_unbind(const struct step *step)
{
	int err = cgroup_write(step->path, "a653.partition", step->partition);

	if (err && err != -ENOENT)
		complain("cannot bind the cgroup %s to the partition %s again: %s",
			 step->path, step->partition, strerror(-err));
	return !err || err == -ENOENT;
}

static bool undo_step(const struct step *step, const char *module)
{
	switch (step->kind) {
	case STEP_MKDIR:
		return hand_to_any(step, module) || undo_mkdir(step);
	case STEP_ENABLE:
		return hand_to_any(step, module) || undo_enable(step);
	case STEP_BIND:
		return undo_bind(step);
	case STEP_UNBIND:
		return undo_unbind(step);
	}
	return false;
}

/**
 * journal_undo - undo all steps but the first @keep, the last one first
 * @journal: the journal; what could not be undone stays in it
 * @keep: how many to keep
 *
 * Return: true if all was undone; what was not, was said.
 */
bool journal_undo(struct journal *journal, size_t keep)
{
	size_t i = journal->nr;
	bool ok = true;

	while (i-- > keep) {
		if (undo_step(&journal->step[i], journal->module))
			remove_step(journal, i);
		else
			ok = false;
	}
	return journal_write(journal) && ok;
}

/* The last step before @end that bound @path to @partition */
static bool find_bind(const struct journal *journal, size_t end,
		      const struct step *unbind, size_t *at)
{
	for (*at = end; (*at)--;) {
		const struct step *step = &journal->step[*at];

		if (step->kind == STEP_BIND && !strcmp(step->path, unbind->path) &&
		    !strcmp(step->partition, unbind->partition))
			return true;
	}
	return false;
}

/* A load has succeeded: what it unbound need not be bound again */
void journal_settle(struct journal *journal)
{
	size_t i = 0, bind;

	while (i < journal->nr) {
		if (journal->step[i].kind != STEP_UNBIND) {
			i++;
			continue;
		}
		if (find_bind(journal, i, &journal->step[i], &bind)) {
			remove_step(journal, i--);
			remove_step(journal, bind);
		} else {
			remove_step(journal, i);
		}
	}
	journal_write(journal);
}

static char *find_in(const char *module, const char *partition)
{
	struct journal journal;
	char *path = NULL, *bound;

	if (journal_read(module, &journal)) {
		for (size_t i = 0; i < journal.nr && !path; i++) {
			const struct step *step = &journal.step[i];

			if (step->kind != STEP_BIND ||
			    strcmp(step->partition, partition))
				continue;
			bound = cgroup_bound_to(step->path);
			if (bound && !strcmp(bound, partition))
				path = xstrdup(step->path);
			free(bound);
		}
	}
	journal_free(&journal);
	return path;
}

/* The cgroup that load bound to a partition, if it still is; or NULL */
char *journal_find_cgroup(const char *partition)
{
	DIR *dir = opendir(JOURNAL_DIR);
	char module[A653_NAME_LEN], *path = NULL;
	struct dirent *entry;

	if (!dir)
		return NULL;
	while (!path && (entry = readdir(dir)))
		if (file_module(entry->d_name, module))
			path = find_in(module, partition);
	closedir(dir);
	return path;
}
