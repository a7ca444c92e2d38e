// SPDX-License-Identifier: GPL-2.0
/*
 * A module, its workers, hogs beside them, a trace, and a verdict
 */
#include "scene.h"

void scene_start(struct scene *s)
{
	struct a653_status st;
	char module[A653_NAME_LEN + 1] = "";
	int rc;

	cgroups_for(s->f);
	conf_start(s->f);
	memcpy(module, s->f->c.module, A653_NAME_LEN);
	rc = get_status(module, &st);
	ASSERT(!rc, "status: %s", strerror(-rc));
	s->base = st.base_ns;
}

struct worker *scene_worker(struct scene *s, const char *part, int prio, uint64_t cpus,
			    void (*fn)(struct worker *w), unsigned int flags)
{
	struct worker *w;
	char name[32];

	ASSERT(s->nr < SCENE_WORKERS, "too many workers");
	snprintf(name, sizeof(name), "%.8s-%d", part, s->nr);
	w = worker_in(part, prio, cpus, name, fn);
	s->w[s->nr] = w;
	s->part[s->nr] = part;
	s->cpus[s->nr] = cpus ? cpus : all_cpus();
	s->flags[s->nr] = flags;
	s->nr++;
	return w;
}

void scene_go(struct scene *s)
{
	int i;

	trace_begin();
	for (i = 0; i < s->nr; i++)
		worker_go(s->w[i]);
}

void scene_pass(int64_t ns, unsigned int with)
{
	int64_t until = now_ns() + ns;

	if (with & HOG_OTHER)
		hogs(SCHED_OTHER, 0, until);
	if (with & HOG_DEADLINE)
		deadline_hogs(until);
	/* last: they may keep this process from running until they end */
	if (with & HOG_FIFO)
		hogs(SCHED_FIFO, 99, until);
	pass_until(until);
}

struct ora *scene_end(struct scene *s)
{
	int i;

	trace_stop();
	for (i = 0; i < s->nr; i++)
		worker_stop(s->w[i]);
	hogs_end();
	for (i = 0; i < s->nr; i++)
		worker_end(s->w[i]);
	s->l = trace_end();
	s->o = ora_new(s->l);
	s->mod = ora_module(s->o, s->f);
	ora_start(s->o, s->mod, s->f->sched[s->f->c.initial].name, s->base);
	for (i = 0; i < s->nr; i++)
		ora_worker(s->o, s->w[i], s->part[i], s->cpus[i], s->flags[i]);
	return s->o;
}

void scene_expect_punctual(struct scene *s)
{
	unsigned int i;

	if (!time_is_exact() || test_stretch() > 1)
		return;
	/* CPUs that an emulator runs in turns wait for each other */
	ora_late_limit(s->o, test_cpus() * 200 * US);
	for (i = 0; i < s->f->c.nr_partitions; i++)
		ora_missed_limit(s->o, s->f->part[i].name, 0.02);
}

void scene_judge(struct scene *s)
{
	ora_judge(s->o);
	ora_free(s->o);
	ev_free(s->l);
	s->o = NULL;
	s->l = NULL;
	s->nr = 0;
}

void scene_run(struct scene *s, int64_t ns, unsigned int with)
{
	scene_go(s);
	scene_pass(ns, with);
	scene_end(s);
	scene_judge(s);
}
