/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module, its workers, hogs beside them, a trace, and a verdict
 */
#ifndef SELFTEST_A653_SCENE_H
#define SELFTEST_A653_SCENE_H

#include "lib.h"

#define SCENE_WORKERS	64

struct scene {
	struct conf *f;
	struct worker *w[SCENE_WORKERS];
	const char *part[SCENE_WORKERS];
	uint64_t cpus[SCENE_WORKERS];
	unsigned int flags[SCENE_WORKERS];	/* ORA_* */
	int nr;
	int64_t base;
	struct evlist *l;
	struct ora *o;
	int mod;
};

/* Hogs of all policies that the kernel takes */
#define HOG_OTHER	1
#define HOG_FIFO	2
#define HOG_DEADLINE	4

/* Cgroups, load, wait until in force */
void scene_start(struct scene *s);
struct worker *scene_worker(struct scene *s, const char *part, int prio, uint64_t cpus,
			    void (*fn)(struct worker *w), unsigned int flags);
/* Trace from here on; all workers go */
void scene_go(struct scene *s);
/* Let some time pass beside hogs */
void scene_pass(int64_t ns, unsigned int with);
/* End of the trace; workers stop; a checker is ready to be asked for more */
struct ora *scene_end(struct scene *s);
/* Where time is exact: windows open soon after their time, and are not missed */
void scene_expect_punctual(struct scene *s);
/* Judge and bury everything */
void scene_judge(struct scene *s);
/* All of it */
void scene_run(struct scene *s, int64_t ns, unsigned int with);

#endif /* SELFTEST_A653_SCENE_H */
