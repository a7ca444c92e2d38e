// SPDX-License-Identifier: GPL-2.0
/*
 * Deferrable servers: threads and budgets of partitions, a trace, and a verdict
 */
#include <fcntl.h>
#include <stdlib.h>

#include "servers.h"

#define MIN_SLACK	"/proc/sys/kernel/sched_a653_min_slack_pct"

int set_rtds(pid_t pid, int64_t budget, int64_t period, uint64_t flags)
{
	struct attr a = {
		.size = sizeof(a), .policy = SCHED_RTDS, .flags = flags,
		.runtime = budget, .period = period,
	};

	return set_attr(pid, &a);
}

void need_rtds(void)
{
	struct a653_servers h = { .size = sizeof(h) };
	struct worker *w;
	int rc;

	if (a653_ioctl(A653_IOC_SERVERS, &h) != -ENOTTY)
		return;
	w = worker_new("probe", sleeper);
	worker_fork(w);
	rc = set_rtds(w->pid, 1 * MS, 100 * MS, 0);
	worker_end(w);
	if (rc == -EINVAL)
		test_skip("a kernel without SCHED_RTDS");
}

void worker_asleep(const struct worker *w)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", w->pid);
	WAIT_FOR(({
		f = fopen(path, "r");
		ASSERT(f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1, "no %s", path);
		fclose(f);
		state == 'S';
	}), "sleep");
}

int min_slack(int pct)
{
	FILE *f = fopen(MIN_SLACK, "r+");
	int old = -1;

	ASSERT(f && fscanf(f, "%d", &old) == 1, "no " MIN_SLACK);
	rewind(f);
	ASSERT(fprintf(f, "%d\n", pct) > 0 && !fclose(f), MIN_SLACK ": %s", strerror(errno));
	return old;
}

void servers_read(struct server_list *l)
{
	int rc;

	memset(l, 0, sizeof(*l));
	l->h.size = sizeof(l->h);
	l->h.nr_servers = ARRAY_SIZE(l->s);
	l->h.server_size = sizeof(l->s[0]);
	l->h.nr_cpus = ARRAY_SIZE(l->cpu);
	l->h.cpu_size = sizeof(l->cpu[0]);
	l->h.servers = (uintptr_t)l->s;
	l->h.cpus = (uintptr_t)l->cpu;
	rc = a653_ioctl(A653_IOC_SERVERS, &l->h);
	ASSERT(!rc, "servers: %s", strerror(-rc));
}

const struct a653_server_stat *server_find(const struct server_list *l, pid_t pid,
					   const char *part, int cpu)
{
	unsigned int i;

	for (i = 0; i < l->h.nr_servers; i++) {
		if (pid ? l->s[i].pid == (uint32_t)pid :
		    !l->s[i].pid && l->s[i].cpu == (uint32_t)cpu &&
		    !strncmp(l->s[i].name, part, A653_NAME_LEN))
			return &l->s[i];
	}
	return NULL;
}

struct a653_server_stat server_stat(pid_t pid, const char *part, int cpu)
{
	static struct server_list l;
	const struct a653_server_stat *s;

	servers_read(&l);
	s = server_find(&l, pid, part, cpu);
	ASSERT(s, "no server of %s%d", pid ? "thread " : part, pid ? pid : cpu);
	return *s;
}

void nibbler(struct worker *w)
{
	while (!worker_should_stop(w)) {
		spin_ns(w->work);
		pass(w->period);
		atomic_fetch_add(&w->loops, 1);
	}
}

void napper(struct worker *w)
{
	unsigned int r = atomic_load(&w->value);

	while (!worker_should_stop(w)) {
		spin_ns(rand_r(&r) % (w->work + 1));
		pass(rand_r(&r) % (w->period + 1));
		atomic_fetch_add(&w->loops, 1);
	}
}

void gated(struct worker *w)
{
	while (!atomic_load(&w->futex) && !worker_should_stop(w))
		futex_wait(&w->futex, 0, 0);
	spinner(w);
}

int64_t server_unit(void)
{
	return MS * test_stretch() * test_cpus();
}

int servers_try(struct servers *v, int64_t budget, int64_t period, bool extra, uint64_t cpus,
		void (*fn)(struct worker *w), unsigned int flags)
{
	struct server *n = &v->v[v->nr];
	char name[EV_COMM];
	int rc;

	ASSERT(v->nr < SERVERS_MAX, "too many servers");
	snprintf(name, sizeof(name), "server-%d", v->nr);
	n->w = worker_new(name, fn);
	worker_fork(n->w);
	WAIT_FOR(atomic_load(&n->w->done), "worker");
	worker_asleep(n->w);
	if (cpus) {
		rc = set_cpus(n->w->pid, cpus);
		ASSERT(!rc, "affinity %llx: %s", (unsigned long long)cpus, strerror(-rc));
	}
	rc = set_rtds(n->w->pid, budget, period, extra ? FLAG_RECLAIM : 0);
	if (rc) {
		worker_end(n->w);
		return rc;
	}
	n->part = NULL;
	n->cpus = cpus ? cpus : all_cpus();
	n->budget = budget;
	n->period = period;
	n->extra = extra;
	n->flags = flags;
	v->nr++;
	return 0;
}

struct worker *servers_thread(struct servers *v, int64_t budget, int64_t period, bool extra,
			      uint64_t cpus, void (*fn)(struct worker *w), unsigned int flags)
{
	int rc = servers_try(v, budget, period, extra, cpus, fn, flags);

	ASSERT(!rc, "SCHED_RTDS %lld of %lld: %s", (long long)budget, (long long)period,
	       strerror(-rc));
	return v->v[v->nr - 1].w;
}

void servers_of(struct servers *v, const char *part, unsigned int flags)
{
	const struct a653_server_stat *s;
	unsigned int i, n;

	/* they begin a little after the load has come into force */
	WAIT_FOR(({
		servers_read(&v->before);
		for (i = 0, n = 0; i < v->before.h.nr_servers; i++)
			n += !v->before.s[i].pid;
		n == v->s.f->c.nr_budgets;
	}), "servers of partitions");
	for (i = 0; i < v->before.h.nr_servers; i++) {
		struct server *n = &v->v[v->nr];

		s = &v->before.s[i];
		if (s->pid || strncmp(s->name, part, A653_NAME_LEN))
			continue;
		ASSERT(v->nr < SERVERS_MAX, "too many servers");
		n->w = NULL;
		n->part = part;
		n->cpu = s->cpu;
		n->budget = s->budget_ns;
		n->period = s->period_ns;
		n->extra = s->flags & A653_SERVER_EXTRATIME;
		n->flags = flags;
		v->nr++;
	}
}

void servers_go(struct servers *v)
{
	const struct a653_server_stat *s;
	int i;

	servers_read(&v->before);
	for (i = 0; i < v->nr; i++) {
		struct server *n = &v->v[i];

		s = server_find(&v->before, n->w ? n->w->pid : 0, n->part, n->cpu);
		ASSERT(s, "server %d is gone", i);
		EXPECT(s->budget_ns == (uint64_t)n->budget && s->period_ns == (uint64_t)n->period,
		       "server %d: %llu of %llu", i, (unsigned long long)s->budget_ns,
		       (unsigned long long)s->period_ns);
		n->deadline = s->deadline_ns;
	}
	if (v->s.f)
		scene_go(&v->s);
	else
		trace_begin();
	for (i = 0; i < v->nr; i++)
		if (v->v[i].w)
			worker_go(v->v[i].w);
}

/*
 * CPUs that an emulator runs in turns wait 100 us for each other. Now and then even
 * the timer of an only CPU comes a millisecond late.
 */
static void set_limits(struct servers *v)
{
	int64_t turn = (test_cpus() - 1) * 100 * US, limit = 2 * MS + 30 * turn;
	const char *hard = getenv("A653_TEST_HARD_US");

	/* to switch takes a slow kernel longer than a turn */
	rtds_ora_tolerance(v->o, 40 * US * test_stretch() + (test_stretch() > 1 ? 2 : 1) * turn);
	if (!time_is_exact())
		return;
	if (hard)
		limit = atoll(hard) * US;
	rtds_ora_limit(v->o, limit * test_stretch());
	/*
	 * With three CPUs or more an emulator now and then leaves one out: it is silent
	 * for milliseconds in user mode, ticks and all; in some runs several times in a
	 * second.
	 */
	if (test_cpus() < 3)
		rtds_ora_p99_limit(v->o, (100 * US + 4 * turn) * test_stretch());
	rtds_ora_miss_limit(v->o, limit * test_stretch());
}

void servers_end(struct servers *v)
{
	int i;

	servers_read(&v->after);
	/* they may leave little time to this process */
	trace_stop();
	for (i = 0; i < v->nr; i++) {
		if (!v->v[i].w)
			continue;
		/* to exit takes many a small budget */
		set_policy(v->v[i].w->pid, SCHED_OTHER, 0);
		worker_stop(v->v[i].w);
	}
	for (i = 0; i < v->s.nr; i++)
		worker_stop(v->s.w[i]);
	hogs_end();
	for (i = 0; i < v->nr; i++)
		if (v->v[i].w)
			worker_end(v->v[i].w);
	for (i = 0; i < v->s.nr; i++)
		worker_end(v->s.w[i]);
	v->s.l = trace_end();

	v->o = rtds_ora_new(v->s.l);
	set_limits(v);
	for (i = 0; i < v->nr; i++) {
		struct server *n = &v->v[i];

		if (n->w)
			n->id = rtds_ora_thread(v->o, n->w->pid, n->cpus, n->budget, n->period,
						n->extra, n->deadline, n->flags);
		else
			n->id = rtds_ora_budget(v->o, n->part, n->cpu, n->budget, n->period,
						n->extra, n->deadline, n->flags);
	}
	for (i = 0; i < v->s.nr; i++)
		rtds_ora_task(v->o, v->s.w[i]->pid, v->s.part[i],
			      v->s.flags[i] & ORA_DYNAMIC ? RTDS_ORA_DYNAMIC : 0);
	if (!v->s.f)
		return;
	rtds_ora_windows(v->o, v->s.f->cpus[0]);
	v->s.o = ora_new(v->s.l);
	v->s.mod = ora_module(v->s.o, v->s.f);
	ora_start(v->s.o, v->s.mod, v->s.f->sched[v->s.f->c.initial].name, v->s.base);
	for (i = 0; i < v->s.nr; i++)
		ora_worker(v->s.o, v->s.w[i], v->s.part[i], v->s.cpus[i], v->s.flags[i]);
	for (i = 0; i < v->nr; i++)
		if (v->v[i].part)
			ora_budgeted(v->s.o, v->v[i].part);
}

const struct rtds_ora_server *servers_result(const struct servers *v, int n)
{
	return rtds_ora_server(v->o, v->v[n].id);
}

/* A653_TEST_DUMP: a file for the events of what went wrong */
static void dump(const struct evlist *l)
{
	const char *name = getenv("A653_TEST_DUMP");
	FILE *f = name ? fopen(name, "w") : NULL;
	char line[256];
	size_t i;

	for (i = 0; f && i < l->nr; i++) {
		ev_format(l, &l->ev[i], line, sizeof(line));
		fprintf(f, "%s\n", line);
	}
	if (f)
		fclose(f);
}

void servers_judge(struct servers *v)
{
	uint64_t idle = 0, moved = 0;
	unsigned int n, i;
	size_t k;

	if (v->s.f)
		ora_judge(v->s.o);
	n = rtds_ora_run(v->o);
	rtds_ora_report(v->o, stdout, "#   ");
	fflush(stdout);
	EXPECT(!n, "%u violations", n);
	if (n)
		dump(v->s.l);
	/* what it was to do may go to another CPU at the very instant */
	for (k = 0; k < v->s.l->nr; k++)
		moved += v->s.l->ev[k].type == EV_MIGRATE;
	for (i = 0; i < v->after.h.nr_cpus; i++)
		idle += v->after.cpu[i].due_idle - v->before.cpu[i].due_idle;
	EXPECT(idle <= moved, "timers fired %llu times for nothing, %llu migrations",
	       (unsigned long long)idle, (unsigned long long)moved);
}

void servers_free(struct servers *v)
{
	if (v->s.o)
		ora_free(v->s.o);
	rtds_ora_free(v->o);
	ev_free(v->s.l);
	v->s.o = NULL;
	v->s.l = NULL;
	v->s.nr = 0;
	v->nr = 0;
	v->o = NULL;
}

void servers_run(struct servers *v, int64_t ns, unsigned int with)
{
	servers_go(v);
	scene_pass(ns, with);
	servers_end(v);
	servers_judge(v);
}
