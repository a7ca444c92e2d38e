// SPDX-License-Identifier: GPL-2.0
/*
 * Partitions and cgroups: binding, names, coming and going
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "scene.h"

static int64_t unit(void)
{
	return MS * test_stretch();
}

static struct conf *plain(int64_t major)
{
	struct conf *f = conf_new("m", all_cpus());
	int c;

	conf_part(f, "alpha", 0, 0);
	conf_part(f, "beta", 0, 0);
	conf_sched(f, "one", major, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(f, 0, c, 0, 2 * unit(), 0);
		conf_win(f, 1, c, 3 * unit(), 2 * unit(), 0);
	}
	return f;
}

static void progress(struct worker *w)
{
	uint64_t before = atomic_load(&w->loops);

	WAIT_FOR(atomic_load(&w->loops) > before, "progress");
}

static char *partition_of(const char *cgroup)
{
	static char text[256];
	int rc = cgroup_read(cgroup, "a653.partition", text, sizeof(text));

	ASSERT(!rc, "a653.partition of %s: %s", cgroup, strerror(-rc));
	text[strcspn(text, "\n")] = 0;
	return text;
}

/* A partition ends, its cgroup goes, and comes again: nothing is loaded anew */
TEST(lesson12_restart_without_reload)
{
	struct a653_status st, st2;
	struct worker *w;
	int i, rc;

	conf_start(plain(10 * unit()));
	ASSERT(!get_status("m", &st), "status");
	for (i = 0; i < test_scale(20); i++) {
		cgroup_create("t_alpha");
		rc = cgroup_bind("t_alpha", "alpha");
		ASSERT(!rc, "bind: %s", strerror(-rc));
		EXPECT(!strcmp(partition_of("t_alpha"), "alpha"), "read back");
		w = worker_in("alpha", 50, 0, "alpha", spinner);
		worker_go(w);
		progress(w);
		rc = cgroup_remove("t_alpha");
		EXPECT(rc == -EBUSY, "removed with a process in it: %s", strerror(-rc));
		worker_end(w);
		rc = cgroup_remove("t_alpha");
		ASSERT(!rc, "rmdir: %s", strerror(-rc));
	}
	/* a cgroup of another name does as well */
	cgroup_create("t_again");
	EXPECT(!cgroup_bind("t_again", "alpha"), "bind under another name");
	ASSERT(!get_status("m", &st2), "status");
	EXPECT(st.switched == st2.switched && st.base_ns == st2.base_ns, "it was loaded anew");
}

TEST(lesson12_names_are_unique)
{
	struct conf *f = plain(10 * unit()), *g;
	int rc;

	cgroups_for(f);
	conf_start(f);
	cgroup_create("t_second");
	rc = cgroup_bind("t_second", "alpha");
	EXPECT(rc == -EBUSY, "bound twice: %s", strerror(-rc));
	EXPECT(!*partition_of("t_second"), "it says %s", partition_of("t_second"));
	/* when the first one lets go, the second may */
	rc = cgroup_bind(cgroup_of("alpha"), "");
	EXPECT(!rc, "unbind: %s", strerror(-rc));
	rc = cgroup_bind("t_second", "alpha");
	EXPECT(!rc, "bind after the first let go: %s", strerror(-rc));
	/* the same for modules: no partition is in two */
	if (test_cpus() < 2)
		return;
	ASSERT(!unload("m", 0), "unload");
	f->cpus[0] = 1;
	f->c.nr_windows = 2;
	f->sched[0].nr_windows = 2;
	conf_start(f);
	g = conf_dup(f);
	set_name(g->c.module, "n");
	g->cpus[0] = 2;
	g->win[0].cpu = 1;
	g->win[1].cpu = 1;
	rc = conf_load(g, 0);
	EXPECT(rc == -EBUSY && strstr(g->reason, "alpha"), "%s (%s)", strerror(-rc), g->reason);
}

TEST(bad_names_are_refused)
{
	static const char *const bad[] = {
		"a/b", "with space", "abcdefghijklmnopqrstuvwxyzabcdef", "tab\there", "\x80", "a*",
	};
	size_t i;
	int rc;

	cgroup_create("t_one");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		rc = cgroup_bind("t_one", bad[i]);
		EXPECT(rc == -EINVAL, "\"%s\": %s", bad[i], strerror(-rc));
		EXPECT(!*partition_of("t_one"), "it says %s", partition_of("t_one"));
	}
	rc = cgroup_bind("t_one", "abcdefghijklmnopqrstuvwxyz-._AZ");
	EXPECT(!rc, "31 characters: %s", strerror(-rc));
	rc = cgroup_bind("t_one", "\n");
	EXPECT(!rc && !*partition_of("t_one"), "unbinding: %s", strerror(-rc));
}

/* Binding and loading come in any order */
TEST(bind_before_and_after_loading)
{
	struct conf *f = plain(10 * unit());
	struct worker *a, *b;

	cgroup_create("t_alpha");
	ASSERT(!cgroup_bind("t_alpha", "alpha"), "bind");
	conf_start(f);
	a = worker_in("alpha", 50, 0, "alpha", spinner);
	worker_go(a);
	progress(a);
	cgroup_create("t_beta");
	ASSERT(!cgroup_bind("t_beta", "beta"), "bind");
	b = worker_in("beta", 50, 0, "beta", spinner);
	worker_go(b);
	progress(b);
	/* a forced unload leaves the binding: the next load finds it */
	ASSERT(!unload("m", A653_REQUEST_FORCE), "unload");
	EXPECT(!strcmp(partition_of("t_alpha"), "alpha"), "the binding is gone");
	conf_start(f);
	EXPECT(!set_policy(a->pid, SCHED_A653, 50), "policy");
	progress(a);
	worker_end(a);
	worker_end(b);
}

/* A cgroup without a binding belongs to that of the nearest one above */
TEST(children_inherit_the_nearest_binding)
{
	struct conf *f = plain(10 * unit());
	struct worker *w;
	int rc;

	cgroups_for(f);
	conf_start(f);
	/* processes only in leaves: the controller goes down */
	rc = cgroup_write("t_alpha", "cgroup.subtree_control", "+a653");
	ASSERT(!rc, "subtree_control: %s", strerror(-rc));
	cgroup_create("t_alpha/t_inner");
	EXPECT(!*partition_of("t_alpha/t_inner"), "an inherited binding is not its own");
	w = worker_new("inner", spinner);
	worker_fork(w);
	WAIT_FOR(atomic_load(&w->done), "worker");
	rc = cgroup_move("t_alpha/t_inner", w->pid);
	ASSERT(!rc, "move: %s", strerror(-rc));
	rc = set_policy(w->pid, SCHED_A653, 50);
	ASSERT(!rc, "policy: %s", strerror(-rc));
	worker_go(w);
	progress(w);
	/* not taken from under it */
	rc = cgroup_bind("t_alpha", "");
	EXPECT(rc == -EBUSY, "unbound under a process: %s", strerror(-rc));
	rc = cgroup_bind("t_alpha/t_inner", "gamma");
	EXPECT(rc == -EBUSY, "bound to another under a process: %s", strerror(-rc));
	rc = cgroup_write("t_alpha", "cgroup.subtree_control", "-a653");
	test_note("controller taken away from the child: %s", strerror(-rc));
	progress(w);
	worker_end(w);
	ASSERT(!cgroup_remove("t_alpha/t_inner"), "rmdir");
}

/* The controller is taken away under a partition's process: refused */
TEST(controller_stays_while_it_is_needed)
{
	struct conf *f = plain(10 * unit());
	struct worker *w;
	int rc;

	cgroups_for(f);
	conf_start(f);
	w = worker_in("alpha", 50, 0, "alpha", spinner);
	worker_go(w);
	progress(w);
	rc = cgroup_write("", "cgroup.subtree_control", "-a653");
	EXPECT(rc < 0, "the controller went");
	progress(w);
	worker_end(w);
	rc = cgroup_write("", "cgroup.subtree_control", "-a653");
	EXPECT(!rc, "the controller does not go: %s", strerror(-rc));
}

/*
 * Killed where its window is closed, it dies when it opens; the cgroup can be
 * removed as soon as nobody but dying ones is in it.
 */
TEST(kill_in_a_closed_partition)
{
	struct conf *f = plain(20 * unit());
	struct worker *w[4];
	int i, k, rc;

	cgroups_for(f);
	conf_start(f);
	for (k = 0; k < test_scale(8); k++) {
		for (i = 0; i < 4; i++) {
			w[i] = worker_in("alpha", 50 + i, 0, "alpha", i ? spinner : sleeper);
			worker_go(w[i]);
		}
		progress(w[3]);
		pass(k * unit());
		for (i = 0; i < 4; i++)
			kill(w[i]->pid, SIGKILL);
		for (i = 0; i < 4; i++)
			WAIT_FOR(worker_gone(w[i]), "death");
		/* zombies do not count */
		rc = cgroup_remove("t_alpha");
		EXPECT(!rc, "rmdir with zombies: %s", strerror(-rc));
		for (i = 0; i < 4; i++)
			waitpid(w[i]->pid, NULL, 0);
		cgroup_create("t_alpha");
		ASSERT(!cgroup_bind("t_alpha", "alpha"), "bind");
	}
	EXPECT(!unload("m", 0), "unload when all are dead");
}

/* Tasks that depend on a module keep it; forced, they become ordinary */
TEST(unload_is_refused_or_forced)
{
	struct a653_request r = new_request("m");
	char reason[A653_REASON_LEN] = "";
	struct conf *f = plain(10 * unit());
	struct worker *w[3];
	struct a653_status st;
	struct attr a;
	int i, rc;

	cgroups_for(f);
	conf_start(f);
	for (i = 0; i < 3; i++) {
		w[i] = worker_in(i ? "alpha" : "beta", 50, 0, "worker", i < 2 ? spinner : sleeper);
		worker_go(w[i]);
	}
	progress(w[0]);
	ASSERT(!get_status("m", &st), "status");
	EXPECT(st.nr_tasks == 3, "%u tasks", st.nr_tasks);
	r.reason = (uintptr_t)reason;
	r.reason_len = sizeof(reason);
	rc = a653_ioctl(A653_IOC_UNLOAD, &r);
	EXPECT(rc == -EBUSY && *reason, "%s (%s)", strerror(-rc), reason);
	progress(w[0]);
	progress(w[1]);
	/* and a new one may come after the refusal */
	EXPECT(!set_policy(w[2]->pid, SCHED_OTHER, 0) && !set_policy(w[2]->pid, SCHED_A653, 5),
	       "policy after the refusal");
	r.flags = A653_REQUEST_FORCE;
	rc = a653_ioctl(A653_IOC_UNLOAD, &r);
	ASSERT(!rc, "forced: %s (%s)", strerror(-rc), reason);
	EXPECT(get_status("m", &st) == -ENOENT, "still there");
	for (i = 0; i < 3; i++) {
		EXPECT(!get_attr(w[i]->pid, &a) && a.policy == SCHED_OTHER, "policy %u", a.policy);
		if (i < 2)
			progress(w[i]);
		worker_end(w[i]);
	}
	EXPECT(!nr_modules(), "%d modules", nr_modules());
}

static long stat_value(const char *cgroup, const char *key)
{
	char text[4096], *p;
	int rc = cgroup_read(cgroup, "a653.stat", text, sizeof(text));

	ASSERT(!rc, "a653.stat: %s", strerror(-rc));
	p = strstr(text, key);
	return p ? strtol(p + strlen(key), NULL, 10) : -1;
}

/* The file and the ioctl tell the same */
TEST(stat_file_agrees_with_the_ioctl)
{
	struct conf *f = plain(10 * unit());
	struct a653_stat before, after;
	struct worker *w;
	long opened, run;
	char cpu[32];

	cgroups_for(f);
	conf_start(f);
	w = worker_in("alpha", 50, 0, "alpha", spinner);
	worker_go(w);
	pass(50 * unit());
	worker_end(w);
	before = get_stat("m", 0, -1);
	opened = stat_value("t_alpha", "windows_opened ");
	run = stat_value("t_alpha", "run_ns ");
	after = get_stat("m", 0, -1);
	EXPECT((uint64_t)opened >= before.opened && (uint64_t)opened <= after.opened, "opened %ld",
	       opened);
	EXPECT(run > 0 && (uint64_t)run == before.run_ns, "run %ld, %llu", run,
	       (unsigned long long)before.run_ns);
	snprintf(cpu, sizeof(cpu), "cpu%d opened=", test_cpus() - 1);
	EXPECT(stat_value("t_alpha", cpu) > 0, "no line of the last CPU");
	EXPECT(stat_value("t_alpha", "windows_missed ") >= 0 &&
	       stat_value("t_alpha", "late_max_ns ") >= stat_value("t_alpha", "late_min_ns "),
	       "lateness");
	/* a partition that no module has: all zero */
	cgroup_create("t_idle");
	ASSERT(!cgroup_bind("t_idle", "idle"), "bind");
	EXPECT(!stat_value("t_idle", "windows_opened "), "numbers from nowhere");
}

/* What was before a module was loaded does not count */
TEST(counters_begin_with_the_module)
{
	struct conf *f = plain(10 * unit());
	struct a653_stat st;
	struct worker *w;
	int64_t before;

	cgroups_for(f);
	conf_start(f);
	w = worker_in("alpha", 50, 0, "alpha", spinner);
	worker_go(w);
	pass(30 * 10 * unit());
	worker_end(w);
	ASSERT(get_stat("m", 0, -1).opened > 10, "no windows");
	ASSERT(!unload("m", 0), "unload");
	before = now_ns();
	conf_start(f);
	st = get_stat("m", 0, -1);
	EXPECT(st.opened <= (uint64_t)(2 + (now_ns() - before) / (10 * unit())) * test_cpus(),
	       "%llu windows opened", (unsigned long long)st.opened);
	EXPECT(!st.run_ns, "ran %llu ns", (unsigned long long)st.run_ns);
	EXPECT(!stat_value("t_alpha", "run_ns "), "a653.stat: ran");
	/* but replacing it does not begin anew */
	pass(30 * unit());
	st = get_stat("m", 0, -1);
	conf_start(f);
	EXPECT(get_stat("m", 0, -1).opened >= st.opened, "a load under way resets counters");
}

/* More ready than fits, of several priorities: the lowest starve, none is lost */
TEST(overload)
{
	struct scene s = { .f = plain(10 * unit()) };
	int i;

	scene_start(&s);
	for (i = 0; i < 40; i++) {
		struct worker *w = scene_worker(&s, i % 2 ? "alpha" : "beta", 10 + i, 0, waker, 0);

		w->period = 10 * unit();
		w->work = unit() / 4;
	}
	scene_go(&s);
	scene_pass(test_scale(40) * 10 * unit(), HOG_OTHER);
	for (i = 0; i < 40; i++)
		worker_stop(s.w[i]);
	/* when the load goes, everybody comes to an end */
	for (i = 0; i < 40; i++)
		WAIT_FOR(worker_gone(s.w[i]), "end of a worker");
	scene_end(&s);
	scene_judge(&s);
}
